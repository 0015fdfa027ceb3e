import t from 'tap';
import { lacking, namespace } from './cluster.js';
import { Installation, until } from './installation.js';

const options = { skip: lacking, timeout: 580_000 };

t.test('pods deleted at random change nothing in the count by id', options, async (t) => {
  const there = await Installation.start(t, { max: 5 });
  const { kubelet, cluster } = there;
  const ids = await there.submit(2_000, 0.15);
  const ways: ((name: string) => unknown)[] = [
    (name) => cluster.core.deleteNamespacedPod({ name, namespace }),
    (name) => cluster.core.deleteNamespacedPod({ name, namespace, gracePeriodSeconds: 0 }),
    (name) => kubelet.kill(name),
  ];
  let harmed = 0;
  await until('all are finished', async () => {
    const done = (await there.finished()).size;
    // By progress, not by time: a slow machine may need longer to start a pod than to lose it.
    const name = kubelet.running[harmed % Math.max(1, kubelet.running.length)];
    if (name !== undefined && done > (harmed + 1) * 150) {
      // It may be gone by itself by then.
      Promise.resolve(ways[harmed % ways.length]?.(name)).catch(() => undefined);
      harmed += 1;
    }
    return done >= ids.length;
  });
  const finished = await there.finished();
  t.same([...finished.keys()].sort(), [...ids].sort());
  t.ok(harmed >= 6, `${harmed} pods were deleted or killed`);
  const outcomes = new Set([...finished.values()].map(({ outcome }) => outcome));
  t.same([...outcomes], ['success']);
  t.ok(kubelet.most <= 5, 'never above the ceiling');
  await until('no pod is left', async () => (await there.pods()).length === 0);
});
