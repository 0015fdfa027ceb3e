import t from 'tap';
import { lacking } from './cluster.js';
import { Installation, until } from './installation.js';

t.test(
  'a burst of 2,000 tasks: pods from 0 to the ceiling and back, none lost, no busy one ended',
  { skip: lacking, timeout: 580_000 },
  async (t) => {
    const max = 5;
    const there = await Installation.start(t, { max });
    const { kubelet } = there;
    t.same(await there.pods(), [], 'no tasks, no pods');
    const ids = await there.submit(2_000, 0.15);
    t.equal(new Set(ids).size, 2_000);
    await until('the ceiling is reached', () => kubelet.running.length === max);
    await until('all are finished', async () => (await there.finished()).size >= ids.length);
    const finished = await there.finished();
    t.same([...finished.keys()].sort(), [...ids].sort(), 'each task, by its id, and no other');
    // One that a worker had not begun may have been given to another, with a free slot.
    const unlike = [...finished.values()].filter(
      ({ outcome, attempts }) =>
        outcome !== 'success' || attempts.some((one) => one.outcome && one.outcome !== 'success'),
    );
    t.same(unlike, [], 'none was lost while it ran: no busy worker was ended');
    await until('no pod is left', async () => (await there.pods()).length === 0);
    t.equal(kubelet.most, max, 'never more than the ceiling');
    t.same(kubelet.signalled, [], 'every worker had gone by itself before its pod was deleted');
  },
);
