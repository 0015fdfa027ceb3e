import t from 'tap';
import { httpLimits } from '../../src/http/limits.js';
import { limits } from '../../src/limits.js';
import { type Asking, assertProblem, startDaemon } from './daemon.js';
import { answerWith, finished, pending, refuseWith, reply, taskId } from './fake-controller.js';

const submission = (value: object, headers: Asking['headers'] = {}, path = '/v1/tasks') => ({
  method: 'POST',
  path,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify({ code: '', ...value }),
});
const soon = () => new Date(Date.now() + 60_000).toISOString();

t.test('delay, time to live and retry reach the controller as they were given', async (t) => {
  const { ask, controller } = await startDaemon(t);
  controller.behaviour = answerWith(pending());
  const asked = {
    delayMs: 5_000,
    expiresAfterMs: 60_000,
    retry: { maxAttempts: 4, on: ['runtime_error'], baseMs: 100, capMs: 1_000 },
  };
  t.equal((await ask(submission(asked))).status, 201);
  t.same((await controller.next('submit')).task, { code: '', ...asked });
  const runAt = soon();
  t.equal((await ask(submission({ runAt }))).status, 201);
  t.equal((await controller.next('submit')).task.runAt, Date.parse(runAt));
  t.equal((await ask(submission({ runAt: '1999-01-01T00:00:00Z' }))).status, 201, 'it is due');
});

t.test('times that can not be are refused by name', async (t) => {
  const { ask, controller } = await startDaemon(t);
  const day = 86_400_000;
  const cases: [object, string, RegExp][] = [
    [{ delayMs: 1, runAt: soon() }, 'runAt', /do not go together/],
    [{ delayMs: -1 }, 'delayMs', />= 0/],
    [{ delayMs: 1.5 }, 'delayMs', /integer/],
    [{ delayMs: limits.delayMsMax + 1 }, 'delayMs', /<=/],
    [{ runAt: 1_700_000_000_000 }, 'runAt', /RFC 3339/],
    [{ runAt: 'tomorrow' }, 'runAt', /RFC 3339/],
    [{ runAt: new Date(Date.now() + 400 * day).toISOString() }, 'runAt', /a year/],
    [{ expiresAfterMs: 0 }, 'expiresAfterMs', />= 1/],
    [{ delayMs: 10, expiresAfterMs: 10 }, 'expiresAfterMs', /over before `delayMs`/],
    [{ runAt: soon(), expiresAfterMs: 1 }, 'expiresAfterMs', /over before `runAt`/],
    [{ retry: { on: ['success'] } }, 'retry.on.0', /runtime_error/],
    [{ retry: { maxAttempts: 21 } }, 'retry.maxAttempts', /20/],
    [{ retry: { baseMS: 1 } }, 'retry.baseMS', /did you mean `retry.baseMs`/],
    [{ idempotencyKey: 'x' }, 'idempotencyKey', /not known/],
  ];
  for (const [value, field, detail] of cases) {
    const problem = assertProblem(t, await ask(submission(value)), 400, 'INVALID_FIELD');
    t.equal(problem.field, field);
    t.match(problem.detail, detail);
  }
  t.same(controller.received, []);
});

t.test('a repeated idempotency key is answered with the first task, whole', async (t) => {
  const { ask, controller } = await startDaemon(t);
  controller.behaviour = answerWith(pending());
  const key = { 'idempotency-key': 'order "7" / a b' };
  const first = await ask(submission({}, key));
  t.equal(first.status, 201);
  t.notOk('idempotency-replayed' in first.headers);
  t.equal((await controller.next('submit')).task.idempotencyKey, key['idempotency-key']);

  const { stdout: _, ...withoutBulk } = finished();
  controller.behaviour = (message, connection) => {
    const whole = message.kind !== 'submit';
    const answer = whole
      ? ({ kind: 'task', task: finished() } as const)
      : ({ kind: 'task', task: withoutBulk, replayed: true } as const);
    reply(answer)(message, connection);
  };
  for (const path of ['/v1/tasks', '/v1/tasks?wait=5']) {
    const again = await ask(submission({}, key, path));
    t.equal(again.status, 200);
    t.equal(again.headers['idempotency-replayed'], 'true');
    t.equal(again.headers.location, `/v1/tasks/${taskId}`);
    t.match(again.json, { id: taskId, state: 'finished', stdout: '2\n' });
  }
});

t.test('a key that is none is refused, a spent one is a conflict', async (t) => {
  const { ask, controller } = await startDaemon(t);
  for (const key of ['', 'é', 'a\tb', 'x'.repeat(256), ['a', 'b']]) {
    const answer = await ask(submission({}, { 'idempotency-key': key as string }));
    t.equal(assertProblem(t, answer, 400, 'INVALID_FIELD').field, 'Idempotency-Key', `${key}`);
  }
  t.same(controller.received, []);
  controller.behaviour = answerWith(pending());
  t.equal((await ask(submission({}, { 'idempotency-key': 'x'.repeat(255) }))).status, 201);
  controller.behaviour = refuseWith('IDEMPOTENCY_KEY_SPENT', 'its task is not kept any more');
  const spent = await ask(submission({}, { 'idempotency-key': 'x' }));
  assertProblem(t, spent, 409, 'IDEMPOTENCY_KEY_SPENT');
});

t.test('what the store or the admission says has its status, and when to ask again', async (t) => {
  const { ask, controller } = await startDaemon(t);
  const cases: [string, number, number | undefined, string | undefined][] = [
    ['STORE_FULL', 507, undefined, undefined],
    ['STORE_READ_ONLY', 503, undefined, '30'],
    ['STORE_TAKEN', 503, undefined, '30'],
    ['STORE_SLOW', 503, undefined, '1'],
    ['STORE_SLOW', 503, 2_001, '3'],
    ['STORE_FAILED', 503, undefined, '5'],
    ['OVERLOADED', 429, undefined, '1'],
    ['OVERLOADED', 429, 17_000, '17'],
    ['GROUP_OVERLOADED', 429, 1, '1'],
  ];
  for (const [code, status, retryAfterMs, retryAfter] of cases) {
    const told = retryAfterMs === undefined ? {} : { retryAfterMs };
    controller.behaviour = reply({ kind: 'refused', code, message: 'no', ...told });
    const answer = await ask(submission({}));
    assertProblem(t, answer, status, code);
    t.equal(answer.headers['retry-after'], retryAfter, `${code} ${retryAfterMs}`);
  }
});

t.test('every time of a task is shown as text', async (t) => {
  const { ask, controller } = await startDaemon(t);
  const createdAt = Date.UTC(2026, 0, 1);
  const task = finished({
    createdAt,
    runAt: createdAt + 1,
    expiresAt: createdAt + 2,
    nextAttemptAt: createdAt + 3,
    deadLetter: true,
    cancel: {
      cause: 'caller',
      requestedAt: createdAt + 4,
      signalledAt: createdAt + 5,
      goneAt: createdAt + 6,
    },
  });
  controller.behaviour = answerWith(task);
  t.match((await ask({ path: `/v1/tasks/${taskId}` })).json, {
    createdAt: '2026-01-01T00:00:00.000Z',
    runAt: '2026-01-01T00:00:00.001Z',
    expiresAt: '2026-01-01T00:00:00.002Z',
    nextAttemptAt: '2026-01-01T00:00:00.003Z',
    deadLetter: true,
    cancel: {
      cause: 'caller',
      requestedAt: '2026-01-01T00:00:00.004Z',
      signalledAt: '2026-01-01T00:00:00.005Z',
      goneAt: '2026-01-01T00:00:00.006Z',
    },
    durability: 'fsync',
  });
});

t.test(
  'the deepest bodies that are taken reach the controller, and cost no connection',
  async (t) => {
    const { ask, controller } = await startDaemon(t);
    controller.behaviour = answerWith(pending());
    const nested = (depth: number): Record<string, unknown> =>
      depth === 1 ? {} : { not: nested(depth - 1) };
    const check = { schema: nested(limits.checkSchemaDepthMax) };
    t.equal((await ask(submission({ check }))).status, 201);
    t.same((await controller.next('submit')).task, { code: '', check });
    const schedule = { id: 's', cron: '@daily', task: { code: '', check } };
    const view = { ...schedule, timeZone: 'UTC', missed: 'skip', enabled: true } as const;
    controller.behaviour = reply({ kind: 'schedule', schedule: view });
    const put = { ...submission({}, {}, '/v1/schedules'), body: JSON.stringify(schedule) };
    t.same((await ask(put)).json, view);
    const deeper = { schema: nested(httpLimits.jsonDepthMax) };
    assertProblem(t, await ask(submission({ check: deeper })), 400, 'INVALID_JSON');
  },
);
