import t from 'tap';
import { ConfinedController } from '../../src/http/confined.js';
import type { ControllerPort } from '../../src/http/controller-port.js';
import { needOf } from '../../src/http/scopes.js';
import { Tokens } from '../../src/http/tokens.js';
import type { Message, MessageOf } from '../../src/wire/messages.js';
import { type Answer, assertProblem, startDaemon } from './daemon.js';
import { type Behaviour, finished, refuseWith, reply, taskId } from './fake-controller.js';
import { watchRoutes } from './registered-routes.js';
import { bearer, sampleToken } from './token-samples.js';

const ours = sampleToken({ group: 'ours' });
const whole = sampleToken();
const tokens = () => new Tokens([ours.record, whole.record]);
const json = { 'content-type': 'application/json' };

/** A controller that has one task, of this group, and no time for what has another answer. */
const holds =
  (group: string | undefined): Behaviour =>
  (message, connection) => {
    const task = finished({ id: taskId, ...(group && { group }) });
    const isShown = ['get', 'watch', 'cancelTask', 'retryTask'].includes(message.kind);
    const answer = isShown ? reply({ kind: 'task', task }) : refuseWith('OVERLOADED', 'as ever');
    answer(message, connection);
  };

const submitted = (received: readonly Message[]) =>
  received.filter((message): message is MessageOf<'submit'> => message.kind === 'submit');

t.test('what is submitted is of the group of the token, however it is', async (t) => {
  const daemon = await startDaemon(t, { tokens: tokens() });
  const headers = { ...bearer(ours.token), ...json };
  const post = (body: object) =>
    daemon.ask({ method: 'POST', path: '/v1/tasks', headers, body: JSON.stringify(body) });
  await post({ code: 'a', type: 'python' });
  await post({ code: 'a', type: 'python', group: 'ours' });
  await daemon.ask({ path: '/execute?code=a', headers: bearer(ours.token) });
  const body = 'a';
  await daemon.ask({ method: 'POST', path: '/execute', headers: bearer(ours.token), body });
  const { received } = daemon.controller;
  t.same(
    submitted(received).map(({ task }) => task.group),
    ['ours', 'ours', 'ours', 'ours'],
  );

  received.length = 0;
  for (const group of ['theirs', 'our', 'ours2', 'OURS']) {
    const answer = await post({ code: 'a', type: 'python', group });
    const problem = assertProblem(t, answer, 403, 'GROUP_NOT_ALLOWED');
    t.equal(problem.field, 'group');
  }
  t.same(received, []);
  await daemon.ask({ path: '/execute?code=a', headers: bearer(whole.token) });
  t.equal(submitted(received)[0]?.task.group, undefined, 'without a group there is none');
});

t.test('a task of another group looks like one that is not there, at every route', async (t) => {
  const { routes, stop } = watchRoutes();
  const daemon = await startDaemon(t, { tokens: tokens() });
  stop();
  const about = routes.filter(
    ({ method, path }) =>
      method !== 'HEAD' &&
      path.startsWith('/v1/tasks/:id') &&
      ['read', 'submit'].includes(needOf(method, path)),
  );
  t.ok(about.length >= 6, 'they are found');
  for (const { method, path } of about) {
    const place = path.replace(':id', taskId);
    const text = `there is no task ${taskId} (any more)`;
    daemon.controller.behaviour = refuseWith('UNKNOWN_TASK', text);
    const headers = bearer(ours.token);
    const none = await daemon.ask({ method, path: place, headers });
    assertProblem(t, none, 404, 'UNKNOWN_TASK');
    for (const group of ['theirs', undefined]) {
      daemon.controller.behaviour = holds(group);
      daemon.controller.received.length = 0;
      const answer = await daemon.ask({ method, path: place, headers });
      t.equal(answer.status, none.status);
      t.equal(answer.text, none.text, `${method} ${path}`);
      const asked = daemon.controller.received.map(({ kind }) => kind);
      t.notOk(asked.includes('cancelTask') || asked.includes('retryTask'), asked.join());
    }
    daemon.controller.behaviour = holds('ours');
    const own: Answer = await daemon.ask({ method, path: place, headers });
    t.not(own.status, 404, `its own at ${method} ${path}`);
    const other = await daemon.ask({ method, path: place, headers: bearer(whole.token) });
    t.not(other.status, 404, 'a token without a group has all of them');
  }
});

t.test('a list shows the tasks of the group, whatever is asked for', async (t) => {
  const daemon = await startDaemon(t, { tokens: tokens() });
  daemon.controller.behaviour = reply({ kind: 'page', tasks: [] });
  const list = async (path: string, token = ours.token) => {
    daemon.controller.received.length = 0;
    const answer = await daemon.ask({ path, headers: bearer(token) });
    t.same(answer.json, { tasks: [] });
    return daemon.controller.received.map((message) => (message as MessageOf<'list'>).group);
  };
  t.same(await list('/v1/tasks'), ['ours']);
  t.same(await list('/v1/tasks?state=finished&group=ours'), ['ours']);
  t.same(await list('/v1/tasks?group=theirs'), [], 'none, and nobody is asked');
  t.same(await list('/v1/tasks', whole.token), [undefined]);
  t.same(await list('/v1/tasks?group=theirs', whole.token), ['theirs']);
});

t.test('an idempotency key of one group is not that of another', async (t) => {
  const two = sampleToken({ group: 'theirs' });
  const daemon = await startDaemon(t, {
    tokens: new Tokens([ours, two, whole].map((each) => each.record)),
  });
  const key = async (token: string) => {
    daemon.controller.received.length = 0;
    await daemon.ask({
      method: 'POST',
      path: '/v1/tasks',
      headers: { ...bearer(token), ...json, 'idempotency-key': 'k'.repeat(255) },
      body: JSON.stringify({ code: 'a', type: 'python' }),
    });
    const [message] = daemon.controller.received;
    return (message as MessageOf<'submit'> | undefined)?.task.idempotencyKey ?? '';
  };
  const keys = [await key(ours.token), await key(two.token), await key(whole.token)];
  t.equal(new Set(keys).size, 3);
  t.equal(keys[2], 'k'.repeat(255), 'without a group it is as it was sent');
  t.equal(await key(ours.token), keys[0], 'a repeat has the same');
});

t.test(
  'schedules are of all groups: whatever its scope, a token of one may not turn them',
  async (t) => {
    // A file of tokens takes no such token, but nothing is to hang on that.
    const both = sampleToken({ group: 'ours', scopes: ['admin'] });
    const daemon = await startDaemon(t, { tokens: new Tokens([ours.record, both.record]) });
    for (const order of ['enable', 'disable']) {
      const path = `/v1/schedules/nightly/${order}`;
      const turn = (token: string) => daemon.ask({ method: 'POST', path, headers: bearer(token) });
      assertProblem(t, await turn(both.token), 403, 'GROUP_NOT_ALLOWED');
      assertProblem(t, await turn(ours.token), 403, 'INSUFFICIENT_SCOPE');
    }
    t.same(daemon.controller.received, []);
  },
);

t.test('what has lost its caller is refused, not taken for one without a group', async (t) => {
  const never = () => t.fail('the controller was asked');
  const inner = new Proxy({}, { get: () => never }) as ControllerPort;
  const confined = new ConfinedController(inner);
  const message = /nobody is known on whose behalf/;
  await t.rejects(confined.get(taskId), { message });
  await t.rejects(confined.list({ limit: 1 }), { message });
  await t.rejects(confined.cancelTask(taskId), { message });
  await t.rejects(confined.store({ code: '', type: 'bash' }), { message });
  t.throws(() => confined.run({ code: '', type: 'bash' }), { message });
  t.throws(() => confined.watch(taskId), { message });
});
