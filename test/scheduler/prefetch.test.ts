import t from 'tap';
import { schedulerLimits } from '../../src/scheduler/limits.js';
import { dispatched, kinds, Rig, wallMs } from './rig.js';

t.test('slots are filled first, then as much is taken ahead as the worker says', async (t) => {
  const rig = new Rig();
  rig.worker('p', 1, { prefetch: 1 });
  rig.worker('q', 1, { prefetch: 1 });
  for (const name of ['a', 'b', 'c', 'd', 'e']) rig.task(name);
  const workers = rig.take(0).map((action) => ('workerId' in action ? action.workerId : ''));
  t.same(
    [workers.slice(0, 2).sort(), workers.slice(2).sort()],
    [
      ['p', 'q'],
      ['p', 'q'],
    ],
  );
  t.match(rig.explain('d', 1), { reason: 'prefetched' });
  t.match(rig.explain('e', 1), { reason: 'busy', ahead: 0 });
});

t.test('the time of a prefetched attempt runs from when it has a slot', async (t) => {
  const rig = new Rig();
  rig.worker('p', 1, { prefetch: 1 });
  rig.task('a');
  rig.task('b');
  rig.take(0);
  rig.result('p', 'a', 1, 9_000);
  rig.take(9_000);
  rig.started('p', 'b', 1, 9_500);
  const overdueMs = 9_500 + wallMs + schedulerLimits.overdueGraceMs;
  t.same(rig.take(overdueMs - 1), []);
  t.match(rig.take(overdueMs), [{ type: 'stop', cause: 'deadline', taskId: 'b' }]);
});

t.test('what waits on one worker is asked back when another has nothing to do', async (t) => {
  const rig = new Rig({ random: () => 0 });
  rig.worker('p', 1, { prefetch: 2 });
  for (const name of ['a', 'b', 'c']) rig.task(name, { retry: { maxAttempts: 1 } });
  rig.take(0);
  rig.worker('q');
  t.match(rig.take(1), [{ type: 'recall', workerId: 'p', taskId: 'c' }], 'one slot, one recall');
  t.same(rig.take(1), []);
  rig.recalled('p', 'c', 1, 2);
  t.match(rig.take(2), [
    { type: 'giveBack', taskId: 'c', tried: 0 },
    { type: 'dispatch', workerId: 'q', taskId: 'c', attempt: 2, tried: 1 },
  ]);
});

t.test('a recall that comes too late changes nothing', async (t) => {
  const rig = new Rig();
  rig.worker('p', 1, { prefetch: 1 });
  rig.task('a');
  rig.task('b');
  rig.take(0);
  rig.worker('q');
  t.same(kinds(rig.take(1)), ['recall']);
  rig.result('p', 'a', 1, 2);
  rig.started('p', 'b', 1, 2);
  rig.result('p', 'b', 1, 3);
  t.same(kinds(rig.take(3)), ['finish', 'finish']);
});

t.test('a drained worker is asked for what it has not begun', async (t) => {
  const rig = new Rig();
  rig.worker('p', 1, { prefetch: 1 });
  rig.task('a');
  rig.task('b');
  rig.take(0);
  rig.scheduler.drain('p');
  t.match(rig.take(1), [{ type: 'recall', taskId: 'b' }]);
});

t.test(
  'once all is halted nothing is dispatched, and what has not begun is asked back',
  async (t) => {
    const rig = new Rig();
    rig.worker('p', 1, { prefetch: 1 });
    for (const name of ['a', 'b', 'c']) rig.task(name);
    rig.take(0);
    rig.scheduler.halt();
    t.match(rig.take(1), [{ type: 'recall', taskId: 'b' }]);
    rig.recalled('p', 'b', 1, 2);
    t.same(kinds(rig.take(2)), ['giveBack'], 'it stays here, and so does the third');
  },
);

t.test('a task that waits on a worker expires: it is asked back first', async (t) => {
  const rig = new Rig();
  rig.worker('p', 1, { prefetch: 2 });
  rig.task('a');
  rig.task('b', { expiresAtMs: 1_000 });
  rig.task('c', { expiresAtMs: 1_000 });
  rig.take(0);
  t.same(rig.take(999), []);
  t.match(rig.take(1_000), [
    { type: 'recall', taskId: 'b' },
    { type: 'recall', taskId: 'c' },
  ]);
  t.same(rig.take(5_000), [], 'once');
  rig.recalled('p', 'b', 1, 5_001);
  t.match(rig.take(5_001), [
    { type: 'giveBack', taskId: 'b' },
    { type: 'finish', taskId: 'b', ending: { outcome: 'expired' } },
  ]);
  // It had begun before it could be handed back: it runs, as any other that began in time.
  rig.result('p', 'a', 1, 5_002);
  rig.started('p', 'c', 1, 5_002);
  rig.result('p', 'c', 1, 5_003);
  t.match(rig.take(5_003), [{ taskId: 'a' }, { taskId: 'c', ending: { outcome: 'success' } }]);
});

t.test('what had no slot on a lost worker does not count, and is no death', async (t) => {
  const rig = new Rig({ random: () => 0 });
  rig.worker('p', 1, { prefetch: 1 });
  rig.task('a', { retry: { maxAttempts: 1 } });
  rig.task('b', { retry: { maxAttempts: 1 } });
  rig.take(0);
  rig.scheduler.disconnect('p', 1);
  t.match(rig.take(1), [
    { type: 'giveBack', taskId: 'b' },
    { type: 'finish', taskId: 'a', ending: { code: 'WORKER_LOST' }, deadLetter: 'attempts' },
  ]);
  rig.worker('q');
  t.same(dispatched(rig.take(2)), ['b']);
});
