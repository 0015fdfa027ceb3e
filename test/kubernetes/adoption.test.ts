import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { lacking, namespace } from './cluster.js';
import { Installation, until } from './installation.js';

const options = { skip: lacking, timeout: 580_000 };

t.test('the next controller adopts the pods, and their tasks go on', options, async (t) => {
  const there = await Installation.start(t, { max: 3, slots: 2 });
  const { kubelet, cluster, service } = there;
  const go = join(there.dataDir, 'go');
  const begun = join(there.dataDir, 'begun');
  mkdirSync(begun);
  const code = `mktemp -p ${begun}; until [ -e ${go} ]; do sleep 0.1; done`;
  const ids = await there.submitCode(6, code);
  // In six slots: none of them waits at a worker for one, from where it could go to another.
  await until('all run', () => readdirSync(begun).length === ids.length);
  const before = kubelet.running.sort();
  // What is listed is what is on disk, a moment later.
  let running = await there.tasks('running');
  await until('all are listed', async () => {
    running = await there.tasks('running');
    return running.size === ids.length;
  });
  const first = (await there.pods()).map(({ metadata }) => metadata?.ownerReferences ?? []);
  t.ok(first.every((owners) => owners.map(({ kind }) => kind).join() === 'Pod,StatefulSet'));
  // Its pod is another one by now, as after a move to another node.
  await cluster.core.deleteNamespacedPod({ name: 'scriptd-controller-0', namespace });
  const { metadata } = await cluster.controllerPod();
  process.kill(service.partPid('controller'), 'SIGKILL');
  const adopted = () => service.log.split('adopted pod').length - 1;
  await until('all are adopted', () => adopted() === before.length);
  writeFileSync(go, '');
  await until('all are finished', async () => (await there.finished()).size === ids.length);
  for (const { id, outcome, attempt } of (await there.finished()).values()) {
    t.same({ outcome, attempt }, { outcome: 'success', attempt: running.get(id)?.attempt });
  }
  t.same(kubelet.signalled, [], 'no worker was ended');
  t.equal(kubelet.started, before.length, 'and none was added');
  t.equal(adopted(), before.length);
  await until('no pod is left', async () => (await there.pods()).length === 0);
  t.ok(metadata?.uid);
});
