import fc from 'fast-check';
import t from 'tap';
import { readTaskQuery } from '../../src/http/task-query.js';
import { assertProblem, startDaemon } from './daemon.js';
import { finished, pending, refuseWith, reply, taskId } from './fake-controller.js';

t.test('a list asks for what the parameters say, and shows tasks and where to go on', async (t) => {
  const { ask, controller } = await startDaemon(t);
  const { stdout: _, stderr: __, ...small } = finished();
  controller.behaviour = reply({ kind: 'page', tasks: [pending(), small], next: 'abc' });
  const path =
    '/v1/tasks?state=finished&type=python&outcome=runtime_error&group=a+b&tag=%C3%A9%26' +
    '&text=Time+out&deadLetter=true&cursor=zz&limit=200';
  const answer = await ask({ path });
  t.equal(answer.status, 200);
  t.match(answer.json, {
    tasks: [{ id: taskId, state: 'pending' }, { finishedAt: '2023-11-14T22:13:21.000Z' }],
    next: 'abc',
  });
  const { kind: _kind, requestId: _requestId, ...query } = await controller.next('list');
  t.same(query, {
    state: 'finished',
    type: 'python',
    outcome: 'runtime_error',
    group: 'a b',
    tag: 'é&',
    text: 'Time out',
    deadLetter: true,
    cursor: 'zz',
    limit: 200,
  });
  controller.behaviour = reply({ kind: 'page', tasks: [] });
  t.same((await ask({ path: '/v1/tasks' })).json, { tasks: [] }, 'no `next` at the end');
  t.equal((await controller.next('list')).limit, 50);
  t.equal((await ask({ method: 'HEAD', path: '/v1/tasks' })).body.length, 0);
});

t.test('a parameter that is not right is refused by its name', async (t) => {
  const { ask, controller } = await startDaemon(t);
  const cases: [string, string, string, RegExp][] = [
    ['stat=finished', 'UNKNOWN_PARAMETER', 'stat', /did you mean `state`/],
    ['limit=1&limit=2', 'REPEATED_PARAMETER', 'limit', /more than once/],
    ['state=finishd', 'INVALID_FIELD', 'state', /did you mean `finished`/],
    ['state=', 'INVALID_FIELD', 'state', /pending, running, finished/],
    ['outcome=sucess', 'INVALID_FIELD', 'outcome', /did you mean `success`/],
    ['type=No+Such', 'INVALID_FIELD', 'type', /name of a type/],
    ['deadLetter=false', 'INVALID_FIELD', 'deadLetter', /must be true/],
    ['deadLetter', 'INVALID_FIELD', 'deadLetter', /must be true/],
    ['group=', 'INVALID_FIELD', 'group', /1 to 128 bytes/],
    ['text=', 'INVALID_FIELD', 'text', /1 to 128 bytes/],
    [`tag=${'%C3%A9'.repeat(65)}`, 'INVALID_FIELD', 'tag', /1 to 128 bytes/],
    ['tag=%FF', 'INVALID_UTF8', 'tag', /UTF-8/],
    ['tag=%', 'INVALID_ENCODING', 'tag', /%25/],
    ['limit=0', 'INVALID_FIELD', 'limit', /1 to 200/],
    ['limit=201', 'INVALID_FIELD', 'limit', /1 to 200/],
    ['limit=1e2', 'INVALID_FIELD', 'limit', /1 to 200/],
    ['cursor=', 'BAD_CURSOR', 'cursor', /`next`/],
    [`cursor=${'a'.repeat(257)}`, 'BAD_CURSOR', 'cursor', /`next`/],
  ];
  for (const [query, code, field, detail] of cases) {
    const problem = assertProblem(t, await ask({ path: `/v1/tasks?${query}` }), 400, code);
    t.equal(problem.field, field, query);
    t.match(problem.detail, detail, query);
  }
  t.same(controller.received, []);
  controller.behaviour = refuseWith('BAD_CURSOR', 'the cursor is not one');
  assertProblem(t, await ask({ path: '/v1/tasks?cursor=!!' }), 400, 'BAD_CURSOR');
});

t.test('what is encoded into the query is what is asked for', async () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 10 });
  const limit = fc.integer({ min: 1, max: 200 });
  fc.assert(
    fc.property(text, text, limit, (group, tag, limit) => {
      const parameters = new URLSearchParams({ tag, limit: String(limit), group });
      const query = readTaskQuery(`/v1/tasks?${parameters}`);
      return query.group === group && query.tag === tag && query.limit === limit;
    }),
  );
});

t.test('any query is read or refused with a code of the API', async () => {
  const name = fc.constantFrom('state', 'type', 'limit', 'cursor', 'tag', 'deadLetter', 'x');
  const value = fc.oneof(fc.string(), fc.constantFrom('true', '5', '%', '%C3', 'finished'));
  const part = fc.tuple(name, value).map(([name, value]) => `${name}=${value}`);
  fc.assert(
    fc.property(fc.array(part, { maxLength: 4 }), (parts) => {
      try {
        const { limit } = readTaskQuery(`/v1/tasks?${parts.join('&')}`);
        return limit >= 1 && limit <= 200;
      } catch (error) {
        return (error as { status?: number }).status === 400;
      }
    }),
    { numRuns: 1_000 },
  );
});

t.test('an explanation is shown with its task and state', async (t) => {
  const { ask, controller } = await startDaemon(t);
  const explanation = {
    reason: 'busy',
    text: 'All slots are busy.',
    type: 'python',
    slots: 2,
    ahead: 7,
  } as const;
  controller.behaviour = reply({ kind: 'explanation', taskId, state: 'pending', explanation });
  const answer = await ask({ path: `/v1/tasks/${taskId}/explain` });
  t.equal(answer.status, 200);
  t.same(answer.json, { id: taskId, state: 'pending', ...explanation });
  t.equal((await controller.next('explain')).taskId, taskId);
  assertProblem(t, await ask({ path: '/v1/tasks/1/explain' }), 400, 'INVALID_TASK_ID');
  controller.behaviour = refuseWith('UNKNOWN_TASK', 'there is no such task');
  assertProblem(t, await ask({ path: `/v1/tasks/${taskId}/explain` }), 404, 'UNKNOWN_TASK');
});

t.test('a finished task is sent again; one that is not is a conflict', async (t) => {
  const { ask, controller } = await startDaemon(t);
  const retry = { method: 'POST', path: `/v1/tasks/${taskId}/retry` };
  controller.behaviour = reply({ kind: 'task', task: pending() });
  const answer = await ask({ ...retry, headers: { 'content-type': 'text/plain' }, body: 'x' });
  t.equal(answer.status, 200);
  t.equal(answer.json.state, 'pending');
  t.equal((await controller.next('retryTask')).taskId, taskId);
  controller.behaviour = refuseWith('NOT_FINISHED', 'the task is running');
  assertProblem(t, await ask(retry), 409, 'NOT_FINISHED');
  controller.behaviour = refuseWith('UNKNOWN_TASK', 'there is no such task');
  assertProblem(t, await ask(retry), 404, 'UNKNOWN_TASK');
});
