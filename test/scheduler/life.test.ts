import t from 'tap';
import { schedulerLimits } from '../../src/scheduler/limits.js';
import { dispatched, idOf, kinds, Rig, wallMs } from './rig.js';

t.test('a delayed task is not dispatched before its time', async (t) => {
  const rig = new Rig();
  rig.worker('p');
  rig.task('a', { runAtMs: 100 });
  t.same(rig.take(99), []);
  t.equal(rig.scheduler.nextDeadlineMs, 100);
  t.match(rig.take(100), [{ type: 'dispatch', taskId: 'a' }]);
});

t.test('a pending task expires, whether it had begun or not; a running one does not', async (t) => {
  const rig = new Rig();
  rig.task('never', { expiresAtMs: 50 });
  t.match(rig.take(50), [
    {
      type: 'finish',
      taskId: 'never',
      attempt: 0,
      ending: { outcome: 'expired', code: 'EXPIRED' },
    },
  ]);
  rig.worker('p');
  rig.task('again', { expiresAtMs: 200 });
  rig.take(60);
  t.same(rig.take(201), [], 'it runs');
  rig.result('p', 'again', 1, 201, 'internal_fail');
  t.match(rig.take(201), [{ type: 'requeue' }, { type: 'finish', ending: { outcome: 'expired' } }]);
});

t.test(
  'what a task asks of retries goes before its type, and that before what is built in',
  async (t) => {
    const retry = new Map([['python', { maxAttempts: 2, on: ['runtime_error' as const] }]]);
    const rig = new Rig({ retry, random: () => 0 });
    rig.worker('p', 2);
    rig.task('type');
    rig.task('task', { retry: { on: [] } });
    rig.take(0);
    rig.result('p', 'type', 1, 1, 'runtime_error');
    rig.result('p', 'task', 1, 1, 'runtime_error');
    t.match(rig.take(1), [
      { type: 'requeue', taskId: 'type' },
      { type: 'finish', taskId: 'task' },
      { type: 'dispatch', taskId: 'type' },
    ]);
    rig.result('p', 'type', 2, 2, 'runtime_error');
    const [finish] = rig.take(2);
    t.match(finish, { type: 'finish', ending: { outcome: 'runtime_error' } });
    t.notOk(finish && 'deadLetter' in finish, 'the failure of a script is no dead letter');
  },
);

t.test(
  'who used up its attempts is a dead letter, and who costs workers is quarantined',
  async (t) => {
    const rig = new Rig({ random: () => 0 });
    rig.worker('p');
    rig.task('a', { retry: { maxAttempts: 1 } });
    rig.take(0);
    rig.result('p', 'a', 1, 1, 'internal_fail');
    t.match(rig.take(1), [{ type: 'finish', deadLetter: 'attempts' }]);
    rig.task('b', { retry: { maxAttempts: 20 } });
    for (let death = 1; death <= schedulerLimits.workerDeathsMax; death++) {
      rig.take(death);
      rig.scheduler.disconnect('p', death);
      rig.worker('p');
    }
    t.match(rig.take(9).at(-1), { type: 'finish', taskId: 'b', deadLetter: 'quarantine' });
  },
);

t.test('more retries at once than the rate allows wait for their turn', async (t) => {
  const rig = new Rig({ random: () => 0 });
  const more = 10;
  const tasks = schedulerLimits.retryBurst + more;
  rig.worker('p', 4096);
  for (let index = 0; index < tasks; index++) rig.task(`t${index}`);
  rig.take(0);
  for (let index = 0; index < tasks; index++) rig.result('p', `t${index}`, 1, 0, 'internal_fail');
  t.equal(dispatched(rig.take(0)).length, schedulerLimits.retryBurst);
  const held = Array.from({ length: tasks }, (_, index) => rig.explain(`t${index}`, 0)?.reason);
  t.equal(held.filter((reason) => reason === 'retry_rate').length, more);
  t.equal(dispatched(rig.take((more * 1000) / schedulerLimits.retriesPerSecond)).length, more);
});

t.test(
  'the record of a cancel says who asked, when the worker was told, when it was gone',
  async (t) => {
    const rig = new Rig();
    rig.task('waits');
    rig.cancel('waits', 5, 'client_gone');
    const gone = { cause: 'client_gone', requestedAtMs: 5, goneAtMs: 5 };
    t.match(rig.take(5), [{ type: 'finish', cancel: gone }]);
    rig.worker('p');
    rig.task('runs');
    rig.take(6);
    rig.cancel('runs', 7);
    rig.cancel('runs', 8, 'shutdown');
    rig.result('p', 'runs', 1, 9, 'success');
    const record = { cause: 'caller', requestedAtMs: 7, signalledAtMs: 7, goneAtMs: 9 };
    t.match(rig.take(9), [
      { type: 'stop', cause: 'caller' },
      { type: 'finish', ending: { outcome: 'success' }, cancel: record },
    ]);
  },
);

t.test('an attempt that its worker does not have when it is to end is over', async (t) => {
  const rig = new Rig();
  rig.worker('p', 2);
  rig.task('cancelled');
  rig.task('overdue');
  rig.take(0);
  rig.cancel('cancelled', 1);
  t.match(rig.take(1), [{ type: 'stop', taskId: 'cancelled' }]);
  rig.recalled('p', 'cancelled', 1, 2);
  const cancel = { cause: 'caller', signalledAtMs: 1, goneAtMs: 2 };
  t.match(rig.take(2), [{ type: 'finish', ending: { code: 'CANCELLED' }, cancel }]);
  rig.recalled('p', 'cancelled', 1, 3);
  t.same(rig.take(3), [], 'said again');
  const overdueMs = wallMs + schedulerLimits.overdueGraceMs;
  t.match(rig.take(overdueMs), [{ type: 'stop', taskId: 'overdue', cause: 'deadline' }]);
  rig.recalled('p', 'overdue', 1, overdueMs);
  t.match(rig.take(overdueMs), [{ type: 'giveBack' }, { type: 'dispatch', attempt: 2, tried: 1 }]);
  t.match(rig.take(overdueMs + schedulerLimits.stopGraceMs), [], 'no worker is dropped');
});

t.test('an attempt whose task could not be read counts, and its worker is free', async (t) => {
  const rig = new Rig({ random: () => 0 });
  rig.worker('p');
  rig.task('a', { retry: { maxAttempts: 2 } });
  rig.take(0);
  const key = { taskId: idOf('a'), attempt: 1 };
  rig.scheduler.unread('q', key, 1);
  t.same(rig.take(1), [], 'another worker');
  rig.scheduler.unread('p', key, 1);
  t.match(rig.take(1), [
    { type: 'requeue', ending: { outcome: 'internal_fail' }, workerDeaths: 0 },
    { type: 'dispatch', attempt: 2 },
  ]);
  rig.scheduler.unread('p', key, 1);
  rig.scheduler.unread('p', { ...key, attempt: 2 }, 1);
  t.match(rig.take(1), [{ type: 'finish', attempt: 2, deadLetter: 'attempts' }]);
});

t.test('a cancel after the deadline still keeps the task from being tried again', async (t) => {
  const rig = new Rig();
  rig.worker('p');
  rig.task('a');
  rig.take(0);
  const overdueMs = wallMs + schedulerLimits.overdueGraceMs;
  t.same(kinds(rig.take(overdueMs)), ['stop']);
  rig.cancel('a', overdueMs);
  rig.result('p', 'a', 1, overdueMs, 'internal_fail');
  t.match(rig.take(overdueMs), [{ type: 'finish', ending: { outcome: 'cancelled' } }]);
});

t.test('of a paused type nothing is dispatched, and what runs goes on', async (t) => {
  const rig = new Rig();
  rig.worker('p', 2);
  rig.task('a');
  rig.take(0);
  rig.scheduler.pauseType('python');
  rig.task('b');
  t.same(rig.take(1), []);
  t.match(rig.explain('b', 1), { reason: 'paused' });
  rig.result('p', 'a', 1, 2);
  t.same(kinds(rig.take(2)), ['finish']);
  rig.scheduler.resumeType('python');
  t.same(dispatched(rig.take(3)), ['b']);
});
