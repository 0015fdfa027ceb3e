import t from 'tap';
import { lacking, namespace } from './cluster.js';
import { Installation, until } from './installation.js';

const options = { skip: lacking, timeout: 300_000 };

t.test('pods deleted at random change nothing in the count by id', options, async (t) => {
  const there = await Installation.start(t, { max: 5 });
  const { kubelet, cluster } = there;
  const ids = await there.submit(2_000, 0.15);
  const ways: ((name: string) => unknown)[] = [
    (name) => cluster.core.deleteNamespacedPod({ name, namespace }),
    (name) => cluster.core.deleteNamespacedPod({ name, namespace, gracePeriodSeconds: 0 }),
    (name) => kubelet.kill(name),
  ];
  let deleted = 0;
  const harm = setInterval(() => {
    const name = kubelet.running[deleted % Math.max(1, kubelet.running.length)];
    if (name === undefined) return;
    // It may be gone by itself by then.
    Promise.resolve(ways[deleted % ways.length]?.(name)).catch(() => undefined);
    deleted += 1;
  }, 2_000);
  t.teardown(() => clearInterval(harm));
  await until('all are finished', 240, async () => (await there.finished()).size >= ids.length);
  clearInterval(harm);
  const finished = await there.finished();
  t.same([...finished.keys()].sort(), [...ids].sort());
  t.ok(deleted >= 6, `${deleted} pods were deleted`);
  const outcomes = new Set([...finished.values()].map(({ outcome }) => outcome));
  t.same([...outcomes], ['success']);
  t.ok(kubelet.most <= 5, 'never above the ceiling');
  await until('no pod is left', 90, async () => (await there.pods()).length === 0);
});
