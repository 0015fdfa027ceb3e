import t from 'tap';
import { schedulerLimits } from '../../src/scheduler/limits.js';
import { dispatched, kinds, Rig, wallMs } from './rig.js';

t.test('a task goes to a free slot of its type, and only there', async (t) => {
  const rig = new Rig();
  rig.worker('n', 1, { type: 'node' });
  rig.task('a');
  t.same(rig.take(0), []);
  rig.worker('p');
  t.same(rig.take(0), [{ type: 'dispatch', workerId: 'p', taskId: 'a', attempt: 1, tried: 1 }]);
});

t.test('no worker gets more than its slots, and a freed slot is filled', async (t) => {
  const rig = new Rig();
  rig.worker('p', 2);
  for (const id of ['a', 'b', 'c']) rig.task(id);
  t.same(dispatched(rig.take(0)), ['a', 'b']);
  t.same(rig.take(0), []);
  rig.result('p', 'a', 1, 1);
  const actions = rig.take(1);
  t.same(kinds(actions), ['finish', 'dispatch']);
  t.same(dispatched(actions), ['c']);
});

t.test('priority goes first, then age, then order of submission', async (t) => {
  const rig = new Rig();
  rig.task('late', { createdAt: 5 });
  rig.task('early', { createdAt: 1 });
  rig.task('same', { createdAt: 1 });
  rig.task('urgent', { createdAt: 9, priority: 1 });
  rig.worker('p', 4);
  t.same(dispatched(rig.take(10)), ['urgent', 'early', 'same', 'late']);
});

t.test('waiting outweighs priority in the end, so nothing starves', async (t) => {
  const rig = new Rig();
  rig.task('old', { createdAt: 0 });
  rig.task('urgent', { createdAt: 60_001, priority: 1 });
  rig.worker('p');
  t.same(dispatched(rig.take(60_002)), ['old']);
});

t.test('work is spread over the workers', async (t) => {
  const rig = new Rig();
  rig.worker('p', 2);
  rig.worker('q', 2);
  rig.task('a');
  rig.task('b');
  const workers = rig.take(0).map((action) => (action.type === 'dispatch' ? action.workerId : ''));
  t.same(workers.sort(), ['p', 'q']);
});

t.test('what ran on a lost worker is tried again after a wait, as a new attempt', async (t) => {
  const rig = new Rig();
  rig.worker('p');
  rig.task('a');
  rig.take(0);
  rig.scheduler.disconnect('p', 100);
  rig.worker('q');
  const [requeue] = rig.take(100);
  t.match(requeue, { type: 'requeue', delayMs: 100, ending: { outcome: 'network_fail' } });
  t.equal(rig.scheduler.nextDeadlineMs, 200);
  rig.scheduler.tick(199);
  t.same(rig.take(199), []);
  rig.scheduler.tick(200);
  t.match(rig.take(200), [{ type: 'dispatch', workerId: 'q', attempt: 2 }]);
});

t.test(
  'a result of an attempt that is no longer current is dropped and acknowledged',
  async (t) => {
    const rig = new Rig({ random: () => 0 });
    rig.worker('p');
    rig.task('a');
    rig.take(0);
    rig.scheduler.disconnect('p', 1);
    rig.scheduler.tick(1);
    rig.worker('p');
    t.match(rig.take(1), [{ type: 'requeue' }, { type: 'dispatch', attempt: 2 }]);
    rig.result('p', 'a', 1, 2);
    t.same(rig.take(2), [{ type: 'forget', workerId: 'p', taskId: 'a', attempt: 1 }]);
    t.equal(rig.stateOf('a'), 'running');
    rig.result('p', 'a', 2, 3);
    t.match(rig.take(3), [{ type: 'finish', attempt: 2, ending: { outcome: 'success' } }]);
  },
);

t.test('a result is recorded once, however often it comes', async (t) => {
  const rig = new Rig();
  rig.worker('p');
  rig.task('a');
  rig.take(0);
  rig.result('p', 'a', 1, 1);
  rig.result('p', 'a', 1, 1);
  t.same(kinds(rig.take(1)), ['finish', 'forget']);
});

t.test('a result from another worker than the one it was given to is dropped', async (t) => {
  const rig = new Rig();
  rig.worker('p');
  rig.task('a');
  rig.take(0);
  rig.worker('q');
  rig.result('q', 'a', 1, 1);
  t.same(kinds(rig.take(1)), ['forget']);
  t.equal(rig.stateOf('a'), 'running');
});

t.test('failures of ours are tried again until the attempts are used up', async (t) => {
  const rig = new Rig({ random: () => 0 });
  rig.worker('p');
  rig.task('a', { retry: { maxAttempts: 2 } });
  rig.take(0);
  rig.result('p', 'a', 1, 1, 'internal_fail');
  rig.scheduler.tick(1);
  t.same(kinds(rig.take(1)), ['requeue', 'dispatch']);
  rig.result('p', 'a', 2, 2, 'internal_fail');
  t.match(rig.take(2), [{ type: 'finish', attempt: 2, ending: { outcome: 'internal_fail' } }]);
});

t.test('a failure of the script is final', async (t) => {
  const rig = new Rig();
  rig.worker('p');
  rig.task('a');
  rig.take(0);
  rig.result('p', 'a', 1, 1, 'runtime_error');
  t.match(rig.take(1), [{ type: 'finish', ending: { outcome: 'runtime_error' } }]);
});

t.test('a task that costs too many workers is given up, whatever attempts it has', async (t) => {
  const rig = new Rig({ random: () => 0 });
  rig.task('a', { retry: { maxAttempts: 20 } });
  for (let death = 1; death <= schedulerLimits.workerDeathsMax; death++) {
    rig.worker('p');
    rig.scheduler.tick(death);
    rig.take(death);
    rig.scheduler.disconnect('p', death);
  }
  t.match(rig.take(9), [
    { type: 'finish', ending: { outcome: 'network_fail', code: 'WORKER_LOST' } },
  ]);
  t.equal(rig.scheduler.pendingCount + rig.scheduler.runningCount, 0);
});

t.test('cancel: a pending task ends at once and is not dispatched', async (t) => {
  const rig = new Rig();
  rig.task('a');
  t.equal(rig.cancel('a', 0, 'caller'), true);
  rig.worker('p');
  t.match(rig.take(0), [
    { type: 'finish', workerId: undefined, attempt: 0, ending: { outcome: 'cancelled' } },
  ]);
  t.equal(rig.cancel('a', 0, 'caller'), false);
});

t.test('cancel: a task that waits for its next attempt ends at once', async (t) => {
  const rig = new Rig();
  rig.worker('p');
  rig.task('a');
  rig.take(0);
  rig.scheduler.disconnect('p', 0);
  rig.take(0);
  rig.cancel('a', 1, 'caller');
  t.match(rig.take(1), [{ type: 'finish', ending: { outcome: 'cancelled' } }]);
  rig.scheduler.tick(1_000_000);
  rig.worker('p');
  t.same(rig.take(1_000_000), []);
});

t.test('cancel: a running task is stopped once, and its worker has the last word', async (t) => {
  const rig = new Rig();
  rig.worker('p');
  rig.task('a');
  rig.take(0);
  rig.cancel('a', 1, 'client_gone');
  rig.cancel('a', 1, 'caller');
  t.match(rig.take(1), [{ type: 'stop', cause: 'client_gone' }]);
  rig.result('p', 'a', 1, 2, 'cancelled');
  t.match(rig.take(2), [{ type: 'finish', ending: { outcome: 'cancelled' } }]);
});

t.test('cancel: a task whose attempt fails by no doing of its own is cancelled', async (t) => {
  const rig = new Rig();
  rig.worker('p');
  rig.task('a');
  rig.take(0);
  rig.cancel('a', 1, 'caller');
  rig.take(1);
  rig.result('p', 'a', 1, 2, 'internal_fail');
  t.match(rig.take(2), [
    // With its result, so that the worker is told that it may forget it.
    { type: 'finish', ending: { outcome: 'cancelled', code: 'CANCELLED', result: {} } },
  ]);
});

t.test('cancel: a task whose worker is lost meanwhile is cancelled, not tried again', async (t) => {
  const rig = new Rig();
  rig.worker('p');
  rig.task('a');
  rig.take(0);
  rig.cancel('a', 1, 'caller');
  rig.take(1);
  rig.scheduler.disconnect('p', 2);
  t.match(rig.take(2), [{ type: 'finish', ending: { outcome: 'cancelled' } }]);
});

t.test('an attempt that overruns is stopped; a worker that ignores that is cut off', async (t) => {
  const rig = new Rig();
  rig.worker('p');
  rig.task('a');
  rig.take(0);
  const overdueMs = wallMs + schedulerLimits.overdueGraceMs;
  rig.scheduler.tick(overdueMs - 1);
  t.same(rig.take(overdueMs - 1), []);
  rig.scheduler.tick(overdueMs);
  t.match(rig.take(overdueMs), [{ type: 'stop', cause: 'deadline' }]);
  const unansweredMs = overdueMs + schedulerLimits.stopGraceMs;
  rig.scheduler.tick(unansweredMs);
  t.match(rig.take(unansweredMs), [{ type: 'dropWorker', workerId: 'p' }]);
});

t.test('deadlines of attempts that ended in time do nothing', async (t) => {
  const rig = new Rig();
  rig.worker('p');
  rig.task('a');
  rig.take(0);
  rig.result('p', 'a', 1, 1);
  rig.take(1);
  rig.scheduler.tick(1_000_000);
  t.same(rig.take(1_000_000), []);
});

t.test('what a worker still runs and nobody wants is stopped, and holds its slot', async (t) => {
  const rig = new Rig();
  const stale = { taskId: 'x', attempt: 4 };
  rig.worker('p', 1, { running: [stale] });
  rig.task('a');
  t.match(rig.take(0), [{ type: 'stop', taskId: 'x', attempt: 4, cause: 'stale' }]);
  rig.result('p', 'x', 4, 1, 'cancelled');
  t.same(kinds(rig.take(1)), ['forget', 'dispatch']);
});

t.test('a worker that keeps what nobody wants is cut off, one that ended it is not', async (t) => {
  const rig = new Rig();
  const stale = { taskId: 'x', attempt: 4 };
  for (const id of ['p', 'q']) {
    rig.worker(id, 1, { running: [stale] });
  }
  rig.result('q', 'x', 4, 1, 'cancelled');
  rig.take(1);
  rig.scheduler.tick(schedulerLimits.stopGraceMs);
  t.match(rig.take(schedulerLimits.stopGraceMs), [{ type: 'dropWorker', workerId: 'p' }]);
});

t.test('a draining worker gets nothing new', async (t) => {
  const rig = new Rig();
  rig.worker('p');
  rig.scheduler.drain('p');
  rig.task('a');
  t.same(rig.take(0), []);
});

t.test('memory: deadlines of ended attempts do not pile up', async (t) => {
  const rig = new Rig();
  rig.worker('p');
  for (let index = 0; index < 20_000; index++) {
    rig.task(`t${index}`);
    rig.take(index / 1000);
    rig.result('p', `t${index}`, 1, index / 1000);
    rig.take(index / 1000);
  }
  t.ok(rig.scheduler.deadlineCount < 2_000, `${rig.scheduler.deadlineCount} deadlines are kept`);
});
