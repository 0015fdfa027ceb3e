import t from 'tap';
import { limits } from '../../src/limits.js';
import { schedulerLimits } from '../../src/scheduler/limits.js';
import { dispatched, kinds, Rig } from './rig.js';

const { recoveryGraceMs, settleMs } = schedulerLimits;

t.test('pending tasks come back in their order, once the workers had time to speak', async (t) => {
  const rig = new Rig();
  // The wall clock was set back between the two.
  rig.restore('first', { createdAt: 500 }, { nowMs: 10, wallMs: 1_000 });
  rig.restore('second', { createdAt: 100 }, { nowMs: 10, wallMs: 1_000 });
  rig.restore('urgent', { createdAt: 900, priority: 1 }, { nowMs: 10, wallMs: 1_000 });
  rig.worker('p', 3);
  t.same(rig.take(10), []);
  t.match(rig.explain('first', 10), { reason: 'recovering', inMs: settleMs });
  t.equal(rig.scheduler.nextDeadlineMs, 10 + settleMs);
  t.same(dispatched(rig.take(10 + settleMs)), ['urgent', 'first', 'second']);
});

t.test('a running task goes on with its worker, as the same attempt', async (t) => {
  const rig = new Rig();
  rig.restore('a', { state: 'running', attempt: 1, worker: 'p' });
  t.match(rig.explain('a', 0), { reason: 'worker_away', worker: 'p' });
  rig.worker('p', 1, { running: [{ taskId: 'a', attempt: 1 }] }, 5);
  t.match(rig.take(5), [{ type: 'adopt', workerId: 'p', taskId: 'a', attempt: 1, tried: 1 }]);
  rig.result('p', 'a', 1, 6);
  t.match(rig.take(6), [{ type: 'finish', attempt: 1, ending: { outcome: 'success' } }]);
});

t.test('a result that the worker held while there was no controller is taken over', async (t) => {
  const rig = new Rig();
  rig.restore('a', { state: 'running', attempt: 1, worker: 'p' });
  rig.worker('p', 1, { unacknowledged: [{ taskId: 'a', attempt: 1 }] }, 5);
  t.same(kinds(rig.take(5)), ['adopt']);
  rig.result('p', 'a', 1, 6);
  t.same(kinds(rig.take(6)), ['finish']);
});

t.test('a running task whose worker stays away is tried again', async (t) => {
  const rig = new Rig({ random: () => 0 });
  rig.restore('a', { state: 'running', attempt: 1, worker: 'p' });
  t.same(rig.take(recoveryGraceMs - 1), []);
  t.match(rig.take(recoveryGraceMs), [{ type: 'requeue', ending: { code: 'WORKER_LOST' } }]);
});

t.test(
  'a worker without the attempt lost it, or never got it if it is the same process',
  async (t) => {
    const rig = new Rig({ random: () => 0 });
    rig.restore('a', { state: 'running', attempt: 1, worker: 'p', instance: 'p1' });
    rig.restore('b', { state: 'running', attempt: 1, worker: 'q', instance: 'q1' });
    rig.worker('p', 1, { instance: 'p1' }, 1);
    rig.worker('q', 1, { instance: 'q2' }, 1);
    t.match(rig.take(1), [
      { type: 'giveBack', taskId: 'a', tried: 0 },
      { type: 'requeue', taskId: 'b', workerDeaths: 1 },
    ]);
  },
);

t.test('an attempt that the store never heard of is adopted where it runs', async (t) => {
  const rig = new Rig();
  rig.restore('a', {});
  rig.worker('p', 1, { running: [{ taskId: 'a', attempt: 1 }] }, 5);
  t.match(rig.take(5), [{ type: 'adopt', taskId: 'a', attempt: 1, tried: 1 }]);
  t.equal(rig.stateOf('a'), 'running');
});

t.test('no number that a worker makes up keeps a task from being tried again', async (t) => {
  const { attemptsAheadMax } = schedulerLimits;
  const rig = new Rig();
  rig.restore('a', { attempt: 3 });
  const first = { taskId: 'a', attempt: limits.attemptMax };
  rig.worker('p', 2, { running: [first], unacknowledged: [{ ...first, attempt: 2 ** 30 }] }, 5);
  t.match(rig.take(5), [
    { type: 'stop', cause: 'stale', attempt: limits.attemptMax },
    { type: 'forget', attempt: 2 ** 30 },
  ]);
  t.match(rig.take(settleMs), [{ type: 'dispatch', workerId: 'p', attempt: 4 }]);

  rig.restore('b', { attempt: 3 });
  rig.worker('q', 1, { running: [{ taskId: 'b', attempt: 3 + attemptsAheadMax + 1 }] }, 6);
  rig.worker('r', 1, { running: [{ taskId: 'b', attempt: 3 + attemptsAheadMax }] }, 6);
  t.match(rig.take(6), [
    { type: 'stop', workerId: 'q' },
    { type: 'adopt', workerId: 'r', attempt: 3 + attemptsAheadMax },
  ]);
});

t.test('a task whose attempts have used up all numbers ends, and holds up no other', async (t) => {
  const rig = new Rig();
  rig.restore('a', { attempt: limits.attemptMax - 1, attemptsBefore: limits.attemptMax - 1 });
  rig.restore('b', {});
  rig.worker('p', 1, { running: [{ taskId: 'a', attempt: limits.attemptMax }] }, 5);
  t.match(rig.take(5), [{ type: 'adopt', taskId: 'a', attempt: limits.attemptMax }]);
  rig.recalled('p', 'a', limits.attemptMax, 6);
  t.match(rig.take(settleMs), [
    { type: 'giveBack', taskId: 'a' },
    {
      ...{ type: 'finish', taskId: 'a', workerId: undefined, attempt: limits.attemptMax },
      ...{ ending: { outcome: 'internal_fail', code: 'INTERNAL' }, deadLetter: 'attempts' },
    },
    { type: 'dispatch', taskId: 'b', workerId: 'p', attempt: 1 },
  ]);
});

t.test('waits go on where they were, by the wall clock', async (t) => {
  const rig = new Rig();
  const moment = { nowMs: 0, wallMs: 1_000_000 };
  rig.worker('p', 3);
  rig.restore('delayed', { runAt: 1_000_800 }, moment);
  rig.restore('retried', { attempt: 1, nextAttemptAt: 1_000_900 }, moment);
  rig.restore('mortal', { runAt: 2_000_000, expiresAt: 1_000_700 }, moment);
  t.match(rig.take(700), [{ type: 'finish', taskId: 'mortal', ending: { outcome: 'expired' } }]);
  t.same(dispatched(rig.take(800)), ['delayed']);
  t.match(rig.take(900), [{ type: 'dispatch', taskId: 'retried', attempt: 2, tried: 2 }]);
});

t.test('a wall clock that is years off holds no task for years', async (t) => {
  const rig = new Rig();
  const moment = { nowMs: 0, wallMs: 946_684_800_000 };
  const year = 366 * 86_400_000;
  rig.worker('p', 3);
  const nextAttemptAt = moment.wallMs + 30 * year;
  rig.restore('retried', { attempt: 1, nextAttemptAt, retry: { capMs: 5_000 } }, moment);
  rig.restore('delayed', { runAt: moment.wallMs + 30 * year }, moment);
  t.same(dispatched(rig.take(4_999)), []);
  t.same(dispatched(rig.take(5_000)), ['retried']);
  t.same(dispatched(rig.take(year - 1)), []);
  t.same(dispatched(rig.take(year)), ['delayed'], 'the longest delay that there is');
});

t.test('who was asked to end before is ended now, and asked for no later than now', async (t) => {
  const rig = new Rig();
  const moment = { nowMs: 50, wallMs: 1_000 };
  const cancel = { cause: 'caller' as const, requestedAt: 9_000 };
  rig.restore('waits', { cancel }, moment);
  rig.restore('runs', { state: 'running', attempt: 1, worker: 'p', cancel }, moment);
  t.match(rig.take(50), [{ type: 'finish', taskId: 'waits', cancel: { requestedAtMs: 50 } }]);
  rig.worker('p', 1, { running: [{ taskId: 'runs', attempt: 1 }] }, 60);
  t.same(kinds(rig.take(60)), ['adopt', 'stop']);
});

t.test('the attempts of a remote worker wait for it as long as it was given', async (t) => {
  const rig = new Rig({ random: () => 0 });
  const offer = { reconnectGraceMs: 1_000, instance: 'p1' };
  rig.worker('p', 1, offer);
  rig.task('a');
  rig.take(0);
  rig.scheduler.disconnect('p', 10);
  t.same(rig.take(1_009), []);
  rig.worker('p', 1, { ...offer, running: [{ taskId: 'a', attempt: 1 }] }, 1_009);
  t.match(rig.take(1_009), [{ type: 'adopt', taskId: 'a', attempt: 1 }]);
  rig.scheduler.disconnect('p', 2_000);
  t.same(kinds(rig.take(3_000)), ['requeue']);
  rig.worker('p', 1, { ...offer, running: [{ taskId: 'a', attempt: 1 }] }, 4_000);
  t.match(rig.take(4_000), [{ type: 'stop', cause: 'stale', attempt: 1 }]);
});
