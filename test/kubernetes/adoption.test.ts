import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { lacking, namespace } from './cluster.js';
import { Installation, until } from './installation.js';

const options = { skip: lacking, timeout: 300_000 };

t.test('the next controller adopts the pods, and their tasks go on', options, async (t) => {
  const there = await Installation.start(t, { max: 3, slots: 2 });
  const { kubelet, cluster, service } = there;
  const ids = await there.submit(6, 12);
  await until('all run', 60, async () => {
    return (await there.connected()) === 3 && (await there.busySlots()) === 6;
  });
  // What one had taken beyond its slots goes to the others.
  await delay(3_000);
  const before = kubelet.running.sort();
  const running = await there.tasks('running');
  t.equal(running.size, ids.length);
  const first = (await there.pods()).map(({ metadata }) => metadata?.ownerReferences ?? []);
  t.ok(first.every((owners) => owners.map(({ kind }) => kind).join() === 'Pod,StatefulSet'));
  // Its pod is another one by now, as after a move to another node.
  await cluster.core.deleteNamespacedPod({ name: 'scriptd-controller-0', namespace });
  const { metadata } = await cluster.controllerPod();
  process.kill(service.partPid('controller'), 'SIGKILL');
  await until('all are finished', 90, async () => (await there.finished()).size === ids.length);
  for (const { id, outcome, attempt } of (await there.finished()).values()) {
    t.same({ outcome, attempt }, { outcome: 'success', attempt: running.get(id)?.attempt });
  }
  t.same(kubelet.signalled, [], 'no worker was ended');
  t.equal(kubelet.started, before.length, 'and none was added');
  const adopted = (text: string) => text.split('adopted pod').length - 1;
  t.equal(adopted(service.log), before.length);
  await until('no pod is left', 60, async () => (await there.pods()).length === 0);
  t.ok(metadata?.uid);
});
