import fc from 'fast-check';
import t from 'tap';
import { readTaskBody } from '../../src/http/task-body.js';
import { specJson } from '../../src/http/task-spec-json.js';
import { Tokens } from '../../src/http/tokens.js';
import { scheduleLimits } from '../../src/schedule.js';
import type { TaskSpec } from '../../src/task.js';
import { assertProblem, startDaemon } from './daemon.js';
import { answerWith, pending, refuseWith, reply, taskId } from './fake-controller.js';

const json = { 'content-type': 'application/json' };
const post = (value: unknown) => ({
  method: 'POST',
  path: '/v1/schedules',
  headers: json,
  body: JSON.stringify(value),
});
const put = (id: string, value: unknown) => ({
  ...post(value),
  method: 'PUT',
  path: `/v1/schedules/${id}`,
});
const nightly = { id: 'nightly', cron: '0 3 * * *', task: { code: 'print(1)', type: 'python' } };
const stored = { ...nightly, timeZone: 'UTC', missed: 'skip', enabled: true } as const;

t.test('a schedule is made, with what was left out filled in', async (t) => {
  const { ask, controller } = await startDaemon(t);
  const nextRunAt = Date.UTC(2026, 0, 1, 3);
  const schedule = { ...stored, nextRunAt };
  controller.behaviour = reply({ kind: 'schedule', schedule, created: true });
  const answer = await ask(post(nightly));
  t.equal(answer.status, 201);
  t.equal(answer.headers.location, '/v1/schedules/nightly');
  const upcoming = [1, 2, 3, 4, 5].map((day) => `2026-01-0${day}T03:00:00.000Z`);
  t.same(answer.json, { ...stored, nextRunAt: upcoming[0], upcoming });
  const asked = await controller.next('putSchedule');
  t.equal(asked.how, 'create');
  t.same(asked.schedule, stored);
  controller.behaviour = refuseWith('SCHEDULE_EXISTS', 'there is one with this id');
  assertProblem(t, await ask(post(nightly)), 409, 'SCHEDULE_EXISTS');
  controller.behaviour = refuseWith('TOO_MANY_SCHEDULES', 'there are 1000');
  assertProblem(t, await ask(post(nightly)), 409, 'TOO_MANY_SCHEDULES');
});

t.test('a schedule whose time zone only the controller knows is shown all the same', async (t) => {
  const { ask, controller } = await startDaemon(t);
  const nextRunAt = Date.UTC(2026, 0, 1, 3);
  const schedule = { ...stored, timeZone: 'Mars/Olympus', nextRunAt };
  controller.behaviour = reply({ kind: 'schedule', schedule });
  const answer = await ask({ method: 'GET', path: '/v1/schedules/nightly' });
  t.equal(answer.status, 200);
  t.same(answer.json.upcoming, ['2026-01-01T03:00:00.000Z']);
});

t.test('a schedule is run at once, beside its clock', async (t) => {
  const { ask, controller } = await startDaemon(t);
  controller.behaviour = (message, connection) => {
    if (message.kind === 'getSchedule') {
      const { requestId } = message;
      connection.send({ kind: 'schedule', requestId, schedule: { ...stored, enabled: false } });
    } else answerWith(pending())(message, connection);
  };
  const run = { method: 'POST', path: '/v1/schedules/nightly/run' };
  const answer = await ask(run);
  t.match(answer, { status: 201, headers: { location: `/v1/tasks/${taskId}` } });
  t.equal(answer.json.id, taskId);
  t.equal((await controller.next('getSchedule')).scheduleId, 'nightly');
  const { task, reply: when } = await controller.next('submit');
  t.same(task, nightly.task);
  t.equal(when, 'stored');
  controller.behaviour = refuseWith('UNKNOWN_SCHEDULE', 'there is none');
  assertProblem(t, await ask(run), 404, 'UNKNOWN_SCHEDULE');
});

t.test('a schedule is enabled and disabled, as often as one likes', async (t) => {
  const { ask, controller } = await startDaemon(t);
  const nextRunAt = Date.UTC(2026, 0, 1, 3);
  const webhook = { url: 'https://example.com/done', secret: 'whsec_of-its-own' };
  for (const order of ['enable', 'enable', 'disable', 'disable']) {
    const enabled = order === 'enable';
    const task = { ...nightly.task, webhook };
    const schedule = { ...stored, task, enabled, ...(enabled && { nextRunAt }) };
    controller.behaviour = reply({ kind: 'schedule', schedule });
    const path = `/v1/schedules/nightly/${order}`;
    const answer = await ask({ method: 'POST', path, headers: json, body: '{' });
    t.equal(answer.status, 200);
    const upcoming = [1, 2, 3, 4, 5].map((day) => `2026-01-0${day}T03:00:00.000Z`);
    t.same(answer.json, {
      ...{ ...stored, enabled, task: { ...nightly.task, webhook: { url: webhook.url } } },
      ...(enabled && { nextRunAt: upcoming[0], upcoming }),
    });
    t.match(await controller.next('setScheduleEnabled'), { scheduleId: 'nightly', enabled });
  }
  for (const order of ['enable', 'disable']) {
    controller.behaviour = refuseWith('UNKNOWN_SCHEDULE', 'there is none');
    const path = `/v1/schedules/nightly/${order}`;
    assertProblem(t, await ask({ method: 'POST', path }), 404, 'UNKNOWN_SCHEDULE');
    assertProblem(t, await ask({ path }), 405, 'METHOD_NOT_ALLOWED');
    const unfit = await ask({ method: 'POST', path: `/v1/schedules/.x/${order}` });
    t.equal(assertProblem(t, unfit, 400, 'INVALID_FIELD').field, 'id');
    const unknown = await ask({ method: 'POST', path: `${path}?x=1` });
    assertProblem(t, unknown, 400, 'UNKNOWN_PARAMETER');
  }
});

t.test('a schedule is put in its place, shown, listed and taken away', async (t) => {
  const { ask, controller } = await startDaemon(t);
  const { id: _, ...rest } = nightly;
  const asked = { ...rest, timeZone: 'Europe/Vienna', missed: 'all', enabled: false } as const;
  const schedule = { ...nightly, ...asked };
  for (const [created, status] of [
    [true, 201],
    [false, 200],
  ] as const) {
    controller.behaviour = reply({ kind: 'schedule', schedule, created });
    t.equal((await ask(put('nightly', asked))).status, status);
    const sent = await controller.next('putSchedule');
    t.equal(sent.how, 'put');
    t.same(sent.schedule, schedule);
  }
  t.same((await ask({ path: '/v1/schedules/nightly' })).json, schedule);
  t.equal((await controller.next('getSchedule')).scheduleId, 'nightly');

  const { task: _task, ...summary } = schedule;
  const runs = { lastRunAt: Date.UTC(2026, 0, 1), lastTaskId: taskId };
  controller.behaviour = reply({ kind: 'schedules', schedules: [{ ...summary, ...runs }] });
  t.same((await ask({ path: '/v1/schedules' })).json, {
    schedules: [{ ...summary, lastRunAt: '2026-01-01T00:00:00.000Z', lastTaskId: taskId }],
  });

  controller.behaviour = reply({ kind: 'done' });
  const gone = await ask({ method: 'DELETE', path: '/v1/schedules/nightly' });
  t.equal(gone.status, 204);
  t.equal(gone.body.length, 0);
  t.equal((await controller.next('deleteSchedule')).scheduleId, 'nightly');
  controller.behaviour = refuseWith('UNKNOWN_SCHEDULE', 'there is none');
  for (const method of ['GET', 'DELETE']) {
    const path = '/v1/schedules/nightly';
    assertProblem(t, await ask({ method, path }), 404, 'UNKNOWN_SCHEDULE');
  }
});

t.test('what can be no schedule is refused by name, with what is wrong', async (t) => {
  const { ask, controller } = await startDaemon(t);
  const { id: _, ...unnamed } = nightly;
  const large = 'x'.repeat(scheduleLimits.taskBytesMax + 1);
  const cases: [unknown, string, RegExp][] = [
    [unnamed, 'id', /missing/],
    [{ ...nightly, id: '../x' }, 'id', /pattern/],
    [{ ...nightly, id: '.x' }, 'id', /pattern/],
    [{ ...nightly, id: 'x'.repeat(65) }, 'id', /pattern/],
    [{ ...nightly, cron: undefined }, 'cron', /missing/],
    [{ ...nightly, cron: 'hourly' }, 'cron', /1 fields/],
    [{ ...nightly, cron: '0 25 * * *' }, 'cron', /hour: 25/],
    [{ ...nightly, cron: '0 0 30 2 *' }, 'cron', /never comes/],
    [{ ...nightly, timeZone: 'Europe/Wien' }, 'timeZone', /not known/],
    [{ ...nightly, missed: 'some' }, 'missed', /skip, once, all/],
    [{ ...nightly, enabled: 1 }, 'enabled', /boolean/],
    [{ ...nightly, timezone: 'UTC' }, 'timezone', /did you mean `timeZone`/],
    [{ ...nightly, ['x'.repeat(1_000)]: 1 }, 'x', /1000 characters/],
    [{ ...nightly, task: undefined }, 'task', /missing/],
    [{ ...nightly, task: 'print(1)' }, 'task', /object/],
    [{ ...nightly, task: { code: '', stdn: '' } }, 'task.stdn', /did you mean `stdin`/],
    [{ ...nightly, task: { code: '', runAt: '2027-01-01T00:00:00Z' } }, 'task.runAt', /leave it/],
    [{ ...nightly, task: { code: large } }, 'task.code', /262144/],
  ];
  for (const [value, field, detail] of cases) {
    const problem = assertProblem(t, await ask(post(value)), 400, 'INVALID_FIELD');
    t.ok(String(problem.field).startsWith(field), `${problem.field} is ${field}`);
    t.match(problem.detail, detail, field);
  }
  const missing = assertProblem(t, await ask(post({ ...nightly, task: {} })), 400, 'MISSING_CODE');
  t.equal(missing.field, 'task.code');
  const other = await ask(put('weekly', nightly));
  t.equal(assertProblem(t, other, 400, 'INVALID_FIELD').field, 'id');
  for (const path of ['/v1/schedules/a%2fb', '/v1/schedules/%00']) {
    t.equal(assertProblem(t, await ask({ path }), 400, 'INVALID_FIELD').field, 'id');
  }
  t.same(controller.received, []);
});

t.test('what was asked for comes back as it would be asked for again', async () => {
  const bytes = fc.uint8Array({ maxLength: 20 });
  const name = fc.constantFrom('a', 'b/c', '__proto', 'constructor', 'é', 'x.txt');
  const specs = fc.record(
    {
      code: fc.string({ unit: 'grapheme' }),
      stdin: bytes,
      files: fc.uniqueArray(fc.record({ name, content: bytes }), { selector: ({ name }) => name }),
      args: fc.array(fc.constantFrom('a', '', 'é')),
      delayMs: fc.nat(1_000),
      tags: fc.array(fc.constantFrom('x', 'y')),
    },
    { requiredKeys: ['code'] },
  );
  const plain = (spec: TaskSpec) => ({
    ...spec,
    stdin: spec.stdin && [...spec.stdin],
    files: spec.files?.map(({ name, content }) => [name, [...content]]),
  });
  fc.assert(
    fc.property(specs, (spec) => {
      const again = readTaskBody(JSON.parse(JSON.stringify(specJson(spec))), 0);
      return JSON.stringify(plain(again)) === JSON.stringify(plain({ ...again, ...spec }));
    }),
  );
});

t.test('every route of this API is guarded', async (t) => {
  const guarded = await startDaemon(t, { tokens: new Tokens(['a-token-of-the-tests-0123456789']) });
  const open = await startDaemon(t);
  const routes: [string, string][] = [
    ['GET', '/v1/tasks'],
    ['POST', '/v1/tasks/batch'],
    ['GET', `/v1/tasks/${taskId}/explain`],
    ['POST', `/v1/tasks/${taskId}/retry`],
    ['GET', '/v1/queues'],
    ['POST', '/v1/queues/python/pause'],
    ['POST', '/v1/queues/python/resume'],
    ['GET', '/v1/schedules'],
    ['POST', '/v1/schedules'],
    ['GET', '/v1/schedules/x'],
    ['PUT', '/v1/schedules/x'],
    ['POST', '/v1/schedules/x/enable'],
    ['POST', '/v1/schedules/x/disable'],
    ['DELETE', '/v1/schedules/x'],
  ];
  for (const [method, path] of routes) {
    const asked = { method, path, headers: json, body: method.startsWith('P') ? '{}' : '' };
    assertProblem(t, await guarded.ask(asked), 401, 'UNAUTHORIZED');
    const headers = { ...json, origin: 'http://evil.example' };
    assertProblem(t, await open.ask({ ...asked, headers }), 403, 'CROSS_SITE');
  }
  t.same([...guarded.controller.received, ...open.controller.received], []);
});
