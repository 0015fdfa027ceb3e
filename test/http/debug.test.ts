import t from 'tap';
import { lifeOf } from '../../src/http/life-events.js';
import type { Message } from '../../src/wire/messages.js';
import { ask, assertProblem, startDaemon } from './daemon.js';
import {
  answerWith,
  type Behaviour,
  finished,
  pending,
  refuseWith,
  taskId,
} from './fake-controller.js';

const at = (ms: number) => 1_700_000_000_000 + ms;

t.test("a task's life is told in the order of time", async (t) => {
  const task = finished({
    outcome: 'cancelled',
    code: 'CANCELLED',
    reason: 'The task was cancelled by the caller.',
    createdAt: at(0),
    runAt: at(10),
    attempt: 3,
    attempts: [
      { attempt: 1, worker: 'a', startedAt: at(20), finishedAt: at(25) },
      {
        ...{ attempt: 2, worker: 'b', startedAt: at(30), finishedAt: at(40) },
        ...{ outcome: 'network_fail', code: 'WORKER_LOST', reason: 'It was lost.' },
      },
      {
        ...{ attempt: 3, worker: 'a', startedAt: at(50), finishedAt: at(90) },
        ...{ outcome: 'cancelled', code: 'CANCELLED' },
      },
    ],
    cancel: { cause: 'caller', requestedAt: at(60), signalledAt: at(61), goneAt: at(90) },
    finishedAt: at(90),
    nextAttemptAt: at(50),
  });
  const life = lifeOf(task);
  t.same(
    life.map(({ event, attempt }) => (attempt === undefined ? event : `${event} ${attempt}`)),
    [
      ...['submitted', 'may_begin', 'dispatched 1', 'attempt_returned 1'],
      ...['dispatched 2', 'attempt_ended 2', 'dispatched 3'],
      ...['cancel_requested', 'cancel_signalled', 'attempt_ended 3', 'cancel_gone', 'finished'],
    ],
  );
  t.same(life[5], {
    ...{ at: '2023-11-14T22:13:20.040Z', event: 'attempt_ended', attempt: 2 },
    ...{ outcome: 'network_fail', code: 'WORKER_LOST', reason: 'It was lost.' },
  });
  t.match(life.at(-1), { event: 'finished', outcome: 'cancelled', code: 'CANCELLED' });
});

t.test('of a task that is not finished, what is to come is told too', async (t) => {
  const life = lifeOf(
    pending({ createdAt: at(0), nextAttemptAt: at(100), expiresAt: at(200), runAt: at(50) }),
  );
  t.same(
    life.map(({ event }) => event),
    ['submitted', 'may_begin', 'next_attempt', 'expires'],
  );
});

/** Answers as a controller that has this task. */
const having: Behaviour = (message: Message, connection) => {
  if (message.kind !== 'explain') answerWith(finished())(message, connection);
  else {
    const { requestId } = message;
    const explanation = { reason: 'finished', text: 'It ended.' } as const;
    connection.send({ kind: 'explanation', requestId, taskId, state: 'finished', explanation });
  }
};

t.test('/debug/tasks/ID shows it with why it is where it is, and without its output', async (t) => {
  const { controller, debugAddress } = await startDaemon(t);
  controller.behaviour = having;
  const { status, json, text } = await ask(debugAddress, { path: `/debug/tasks/${taskId}` });
  t.equal(status, 200);
  t.match(json, {
    ...{ id: taskId, state: 'finished', explanation: { reason: 'finished' } },
    events: [
      { event: 'submitted' },
      { event: 'dispatched', worker: 'python-1' },
      { event: 'finished' },
    ],
  });
  t.notMatch(text, /stdout/);
  assertProblem(t, await ask(debugAddress, { path: '/debug/tasks/1' }), 400, 'INVALID_TASK_ID');
  controller.behaviour = refuseWith('UNKNOWN_TASK', 'there is no such task');
  const unknown = await ask(debugAddress, { path: `/debug/tasks/${taskId}` });
  assertProblem(t, unknown, 404, 'UNKNOWN_TASK');
});

t.test('/debug/heap has figures, and no page of another site gets a snapshot', async (t) => {
  const { debugAddress } = await startDaemon(t);
  const heap = await ask(debugAddress, { path: '/debug/heap' });
  t.match(heap.json, {
    http: { statistics: { used_heap_size: Number }, spaces: [{ space_name: String }] },
    parts: [{ part: 'http', memoryBytes: { heapUsed: Number } }],
  });
  const path = '/debug/heap/snapshot';
  assertProblem(t, await ask(debugAddress, { path }), 405, 'METHOD_NOT_ALLOWED');
  const crossSite = { method: 'POST', path, headers: { origin: 'http://evil.example' } };
  assertProblem(t, await ask(debugAddress, crossSite), 403, 'CROSS_SITE');
});

t.test('GET / names every path of the debug port, as a 404 promises', async (t) => {
  const { debugAddress } = await startDaemon(t);
  const home = await ask(debugAddress, { path: '/' });
  t.equal(home.status, 200);
  for (const path of ['/healthz', '/metrics', '/debug/state', '/debug/heap/snapshot']) {
    t.match(home.text, path);
  }
  const missing = await ask(debugAddress, { path: '/nowhere' });
  assertProblem(t, missing, 404, 'NOT_FOUND');
  t.match(missing.text, /GET \/ says what there is/);
});
