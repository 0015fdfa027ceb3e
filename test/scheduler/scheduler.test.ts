import t from 'tap';
import { schedulerLimits } from '../../src/scheduler/limits.js';
import { type Action, Scheduler } from '../../src/scheduler/scheduler.js';
import type { Result } from '../../src/task.js';

const wallMs = 10_000;

/** A scheduler on a clock that the test turns. */
function setUp(random = () => 0.5) {
  const scheduler = new Scheduler({ random });
  const task = (id: string, more: object = {}) =>
    scheduler.submit({
      id,
      type: 'python',
      priority: 0,
      createdAt: 0,
      wallMs,
      maxAttempts: 3,
      ...more,
    });
  const worker = (id: string, slots = 1, type = 'python') =>
    scheduler.connect({ id, type, slots, running: [] }, 0);
  return { scheduler, task, worker };
}

function result(outcome: Result['outcome'] = 'success'): Result {
  return {
    outcome,
    stdout: Buffer.alloc(0),
    stderr: Buffer.alloc(0),
    truncated: { stdout: false, stderr: false },
    phases: { startMs: 0, runMs: 0, drainMs: 0 },
  };
}

const kinds = (actions: Action[]) => actions.map(({ type }) => type);
const dispatched = (actions: Action[]) =>
  actions.flatMap((action) => (action.type === 'dispatch' ? [action.taskId] : []));

t.test('a task goes to a free slot of its type, and only there', async (t) => {
  const { scheduler, task, worker } = setUp();
  worker('n', 1, 'node');
  task('a');
  t.same(scheduler.take(0), []);
  worker('p');
  t.same(scheduler.take(0), [{ type: 'dispatch', workerId: 'p', taskId: 'a', attempt: 1 }]);
});

t.test('no worker gets more than its slots, and a freed slot is filled', async (t) => {
  const { scheduler, task, worker } = setUp();
  worker('p', 2);
  for (const id of ['a', 'b', 'c']) task(id);
  t.same(dispatched(scheduler.take(0)), ['a', 'b']);
  t.same(scheduler.take(0), []);
  scheduler.result('p', { taskId: 'a', attempt: 1 }, result(), 1);
  const actions = scheduler.take(1);
  t.same(kinds(actions), ['finish', 'dispatch']);
  t.same(dispatched(actions), ['c']);
});

t.test('priority goes first, then age, then order of submission', async (t) => {
  const { scheduler, task, worker } = setUp();
  task('late', { createdAt: 5 });
  task('early', { createdAt: 1 });
  task('same', { createdAt: 1 });
  task('urgent', { createdAt: 9, priority: 1 });
  worker('p', 4);
  t.same(dispatched(scheduler.take(10)), ['urgent', 'early', 'same', 'late']);
});

t.test('waiting outweighs priority in the end, so nothing starves', async (t) => {
  const { scheduler, task, worker } = setUp();
  task('old', { createdAt: 0 });
  task('urgent', { createdAt: 60_001, priority: 1 });
  worker('p');
  t.same(dispatched(scheduler.take(60_002)), ['old']);
});

t.test('work is spread over the workers', async (t) => {
  const { scheduler, task, worker } = setUp();
  worker('p', 2);
  worker('q', 2);
  task('a');
  task('b');
  const workers = scheduler
    .take(0)
    .map((action) => (action.type === 'dispatch' ? action.workerId : ''));
  t.same(workers.sort(), ['p', 'q']);
});

t.test('what ran on a lost worker is tried again after a wait, as a new attempt', async (t) => {
  const { scheduler, task, worker } = setUp();
  worker('p');
  task('a');
  scheduler.take(0);
  scheduler.disconnect('p', 100);
  worker('q');
  const [requeue] = scheduler.take(100);
  t.match(requeue, { type: 'requeue', delayMs: 100, ending: { outcome: 'network_fail' } });
  t.equal(scheduler.nextDeadlineMs, 200);
  scheduler.tick(199);
  t.same(scheduler.take(199), []);
  scheduler.tick(200);
  t.match(scheduler.take(200), [{ type: 'dispatch', workerId: 'q', attempt: 2 }]);
});

t.test(
  'a result of an attempt that is no longer current is dropped and acknowledged',
  async (t) => {
    const { scheduler, task, worker } = setUp(() => 0);
    worker('p');
    task('a');
    scheduler.take(0);
    scheduler.disconnect('p', 1);
    scheduler.tick(1);
    worker('p');
    t.match(scheduler.take(1), [{ type: 'requeue' }, { type: 'dispatch', attempt: 2 }]);
    scheduler.result('p', { taskId: 'a', attempt: 1 }, result(), 2);
    t.same(scheduler.take(2), [{ type: 'forget', workerId: 'p', taskId: 'a', attempt: 1 }]);
    t.equal(scheduler.stateOf('a'), 'running');
    scheduler.result('p', { taskId: 'a', attempt: 2 }, result(), 3);
    t.match(scheduler.take(3), [{ type: 'finish', attempt: 2, ending: { outcome: 'success' } }]);
  },
);

t.test('a result is recorded once, however often it comes', async (t) => {
  const { scheduler, task, worker } = setUp();
  worker('p');
  task('a');
  scheduler.take(0);
  const key = { taskId: 'a', attempt: 1 };
  scheduler.result('p', key, result(), 1);
  scheduler.result('p', key, result(), 1);
  t.same(kinds(scheduler.take(1)), ['finish', 'forget']);
});

t.test('a result from another worker than the one it was given to is dropped', async (t) => {
  const { scheduler, task, worker } = setUp();
  worker('p');
  task('a');
  scheduler.take(0);
  worker('q');
  scheduler.result('q', { taskId: 'a', attempt: 1 }, result(), 1);
  t.same(kinds(scheduler.take(1)), ['forget']);
  t.equal(scheduler.stateOf('a'), 'running');
});

t.test('failures of ours are tried again until the attempts are used up', async (t) => {
  const { scheduler, task, worker } = setUp(() => 0);
  worker('p');
  task('a', { maxAttempts: 2 });
  scheduler.take(0);
  scheduler.result('p', { taskId: 'a', attempt: 1 }, result('internal_fail'), 1);
  scheduler.tick(1);
  t.same(kinds(scheduler.take(1)), ['requeue', 'dispatch']);
  scheduler.result('p', { taskId: 'a', attempt: 2 }, result('internal_fail'), 2);
  t.match(scheduler.take(2), [
    { type: 'finish', attempt: 2, ending: { outcome: 'internal_fail' } },
  ]);
});

t.test('a failure of the script is final', async (t) => {
  const { scheduler, task, worker } = setUp();
  worker('p');
  task('a');
  scheduler.take(0);
  scheduler.result('p', { taskId: 'a', attempt: 1 }, result('runtime_error'), 1);
  t.match(scheduler.take(1), [{ type: 'finish', ending: { outcome: 'runtime_error' } }]);
});

t.test('a task that costs too many workers is given up, whatever attempts it has', async (t) => {
  const { scheduler, task, worker } = setUp(() => 0);
  task('a', { maxAttempts: 20 });
  for (let death = 1; death <= schedulerLimits.workerDeathsMax; death++) {
    worker('p');
    scheduler.tick(death);
    scheduler.take(death);
    scheduler.disconnect('p', death);
  }
  t.match(scheduler.take(9), [
    { type: 'finish', ending: { outcome: 'network_fail', code: 'WORKER_LOST' } },
  ]);
  t.equal(scheduler.pendingCount + scheduler.runningCount, 0);
});

t.test('cancel: a pending task ends at once and is not dispatched', async (t) => {
  const { scheduler, task, worker } = setUp();
  task('a');
  t.equal(scheduler.cancel('a', 'caller', 0), true);
  worker('p');
  t.match(scheduler.take(0), [
    { type: 'finish', workerId: undefined, attempt: 0, ending: { outcome: 'cancelled' } },
  ]);
  t.equal(scheduler.cancel('a', 'caller', 0), false);
});

t.test('cancel: a task that waits for its next attempt ends at once', async (t) => {
  const { scheduler, task, worker } = setUp();
  worker('p');
  task('a');
  scheduler.take(0);
  scheduler.disconnect('p', 0);
  scheduler.take(0);
  scheduler.cancel('a', 'caller', 1);
  t.match(scheduler.take(1), [{ type: 'finish', ending: { outcome: 'cancelled' } }]);
  scheduler.tick(1_000_000);
  worker('p');
  t.same(scheduler.take(1_000_000), []);
});

t.test('cancel: a running task is stopped once, and its worker has the last word', async (t) => {
  const { scheduler, task, worker } = setUp();
  worker('p');
  task('a');
  scheduler.take(0);
  scheduler.cancel('a', 'client_gone', 1);
  scheduler.cancel('a', 'caller', 1);
  t.match(scheduler.take(1), [{ type: 'stop', cause: 'client_gone' }]);
  scheduler.result('p', { taskId: 'a', attempt: 1 }, result('cancelled'), 2);
  t.match(scheduler.take(2), [{ type: 'finish', ending: { outcome: 'cancelled' } }]);
});

t.test('cancel: a task whose attempt fails by no doing of its own is cancelled', async (t) => {
  const { scheduler, task, worker } = setUp();
  worker('p');
  task('a');
  scheduler.take(0);
  scheduler.cancel('a', 'caller', 1);
  scheduler.take(1);
  scheduler.result('p', { taskId: 'a', attempt: 1 }, result('internal_fail'), 2);
  t.match(scheduler.take(2), [
    // With its result, so that the worker is told that it may forget it.
    { type: 'finish', ending: { outcome: 'cancelled', code: 'CANCELLED', result: {} } },
  ]);
});

t.test('cancel: a task whose worker is lost meanwhile is cancelled, not tried again', async (t) => {
  const { scheduler, task, worker } = setUp();
  worker('p');
  task('a');
  scheduler.take(0);
  scheduler.cancel('a', 'caller', 1);
  scheduler.take(1);
  scheduler.disconnect('p', 2);
  t.match(scheduler.take(2), [{ type: 'finish', ending: { outcome: 'cancelled' } }]);
});

t.test('an attempt that overruns is stopped; a worker that ignores that is cut off', async (t) => {
  const { scheduler, task, worker } = setUp();
  worker('p');
  task('a');
  scheduler.take(0);
  const overdueMs = wallMs + schedulerLimits.overdueGraceMs;
  scheduler.tick(overdueMs - 1);
  t.same(scheduler.take(overdueMs - 1), []);
  scheduler.tick(overdueMs);
  t.match(scheduler.take(overdueMs), [{ type: 'stop', cause: 'deadline' }]);
  const unansweredMs = overdueMs + schedulerLimits.stopGraceMs;
  scheduler.tick(unansweredMs);
  t.match(scheduler.take(unansweredMs), [{ type: 'dropWorker', workerId: 'p' }]);
});

t.test('deadlines of attempts that ended in time do nothing', async (t) => {
  const { scheduler, task, worker } = setUp();
  worker('p');
  task('a');
  scheduler.take(0);
  scheduler.result('p', { taskId: 'a', attempt: 1 }, result(), 1);
  scheduler.take(1);
  scheduler.tick(1_000_000);
  t.same(scheduler.take(1_000_000), []);
});

t.test('what a worker still runs and nobody wants is stopped, and holds its slot', async (t) => {
  const { scheduler, task } = setUp();
  const stale = { taskId: 'x', attempt: 4 };
  scheduler.connect({ id: 'p', type: 'python', slots: 1, running: [stale] }, 0);
  task('a');
  t.match(scheduler.take(0), [{ type: 'stop', taskId: 'x', attempt: 4, cause: 'stale' }]);
  scheduler.result('p', stale, result('cancelled'), 1);
  t.same(kinds(scheduler.take(1)), ['forget', 'dispatch']);
});

t.test('a worker that keeps what nobody wants is cut off, one that ended it is not', async (t) => {
  const { scheduler } = setUp();
  const stale = { taskId: 'x', attempt: 4 };
  for (const id of ['p', 'q']) {
    scheduler.connect({ id, type: 'python', slots: 1, running: [stale] }, 0);
  }
  scheduler.result('q', stale, result('cancelled'), 1);
  scheduler.take(1);
  scheduler.tick(schedulerLimits.stopGraceMs);
  t.match(scheduler.take(schedulerLimits.stopGraceMs), [{ type: 'dropWorker', workerId: 'p' }]);
});

t.test('a draining worker gets nothing new', async (t) => {
  const { scheduler, task, worker } = setUp();
  worker('p');
  scheduler.drain('p');
  task('a');
  t.same(scheduler.take(0), []);
});

t.test('memory: deadlines of ended attempts do not pile up', async (t) => {
  const { scheduler, task, worker } = setUp();
  worker('p');
  for (let index = 0; index < 20_000; index++) {
    task(`t${index}`);
    scheduler.take(index / 1000);
    scheduler.result('p', { taskId: `t${index}`, attempt: 1 }, result(), index / 1000);
    scheduler.take(index / 1000);
  }
  t.ok(scheduler.deadlineCount < 2_000, `${scheduler.deadlineCount} deadlines are kept`);
});
