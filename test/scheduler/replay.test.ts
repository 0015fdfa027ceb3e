import t from 'tap';
import { type ReplayTask, replay, slotsSeen, waitsOf } from '../../src/scheduler/replay.js';

const id = (n: number) => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`;
const task = (n: number, more: Partial<ReplayTask> = {}): ReplayTask => ({
  ...{
    id: id(n),
    type: 'noop',
    group: '',
    priority: 0,
    createdAt: 1_000,
    serviceMs: 100,
    score: 0,
  },
  ...more,
});
const slots = (count: number) => ({ slots: new Map([['noop', count]]) });

t.test('one slot, one after the other; two, two at a time', async (t) => {
  const tasks = [1, 2, 3, 4].map((n) => task(n));
  t.strictSame(replay(tasks, slots(1)), [0, 100, 200, 300]);
  t.strictSame(replay(tasks, slots(2)), [0, 0, 100, 100]);
  t.strictSame(replay([], slots(1)), []);
});

t.test('the score decides, and waiting counts as much as score', async (t) => {
  const tasks = [task(1), task(2), task(3, { score: 1 })];
  t.strictSame(replay(tasks, slots(1)), [100, 200, 0]);
  const late = [task(1), task(2), task(3, { createdAt: 1_050, score: 49 })];
  t.strictSame(replay(late, slots(1)), [0, 100, 150]);
  const ahead = [task(1), task(2), task(3, { createdAt: 1_050, score: 51 })];
  t.strictSame(replay(ahead, slots(1)), [0, 200, 50]);
});

t.test('groups share as the scheduler shares, by their weights', async (t) => {
  const many = Array.from({ length: 30 }, (_, n) => task(n, { group: 'many' }));
  const few = [task(100, { group: 'few' }), task(101, { group: 'few' })];
  const waits = replay([...many, ...few], slots(1));
  t.ok(Math.max(...waits.slice(30)) <= 400, 'the few are not behind the many');
  const weights = new Map([['many', 1_000]]);
  const weighted = replay([...many, ...few], { ...slots(1), groups: weights });
  t.ok(Math.max(...weighted.slice(30)) > 1_000);
});

t.test('a type without slots waits for ever; tasks that take no time are run, too', async (t) => {
  t.strictSame(replay([task(1, { type: 'other' })], slots(1)), [Number.POSITIVE_INFINITY]);
  const instant = [1, 2, 3].map((n) => task(n, { serviceMs: 0 }));
  t.strictSame(replay(instant, slots(1)), [0, 0, 0]);
});

t.test('the same again gives the same, and every task has its turn', async (t) => {
  // Numbers that look random and are the same each time.
  let seed = 1;
  const next = (below: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  let createdAt = 0;
  const tasks = Array.from({ length: 5_000 }, (_, n) => {
    createdAt += next(20);
    return task(n, { createdAt, serviceMs: next(60), group: `g${next(5)}`, score: next(1_000) });
  });
  const first = replay(tasks, slots(3));
  t.ok(first.every((wait) => Number.isFinite(wait) && wait >= 0));
  t.strictSame(replay(tasks, slots(3)), first);
});

t.test('slots are as many as were taken at once', async (t) => {
  const run = (startedAt: number, finishedAt: number, type = 'noop') => ({
    ...{ type, startedAt, finishedAt },
  });
  const runs = [run(0, 10), run(5, 15), run(10, 20), run(3, 3, 'bash')];
  t.strictSame([...slotsSeen(runs)].sort(), [
    ['bash', 1],
    ['noop', 2],
  ]);
});

t.test('percentiles are of waits that there were', async (t) => {
  t.strictSame(waitsOf([]), { tasks: 0, p50Ms: 0, p95Ms: 0, maxMs: 0 });
  t.strictSame(waitsOf([30, 10, 20]), { tasks: 3, p50Ms: 20, p95Ms: 30, maxMs: 30 });
});
