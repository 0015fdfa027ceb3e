import { mock } from 'node:test';
import t, { type Test } from 'tap';
import { EventStreams } from '../../src/http/event-streams.js';
import { httpLimits } from '../../src/http/limits.js';
import { TaskEvents } from '../../src/http/task-events.js';
import type { TokenRecord } from '../../src/http/token-record.js';
import { Tokens } from '../../src/http/tokens.js';
import { cursorStart } from '../../src/task-cursor.js';
import type { Message } from '../../src/wire/messages.js';
import { assertProblem, silentLog, startDaemon } from './daemon.js';
import { EventReader } from './event-reader.js';
import { type Behaviour, finished, pending, silent, taskId } from './fake-controller.js';
import { BatchCall } from './lines.js';
import { bearer, sampleToken } from './token-samples.js';

/** What a token may do while a request that it came in with goes on. */

const line = { code: '1', type: 'bash' };

/** Stores and shows tasks, all under one id, and leaves the rest to the test. */
const storing: Behaviour = (message, connection) => {
  if (message.kind !== 'submit' && message.kind !== 'get') return;
  connection.send({ kind: 'task', requestId: message.requestId, task: pending({ id: taskId }) });
};

const groupsOf = (received: readonly Message[]) =>
  received.flatMap((message) => (message.kind === 'submit' ? [message.task.group] : []));

async function start(t: Test, record: TokenRecord, behaviour = storing) {
  const tokens = new Tokens([record]);
  const daemon = await startDaemon(t, { tokens });
  daemon.controller.behaviour = behaviour;
  return { tokens, daemon };
}

t.test('each line of a batch is taken from the rate, and waits for it', async (t) => {
  const slow = { perSecond: 0.001, burst: 5 };
  const { token, record } = sampleToken({ rate: slow });
  const { tokens, daemon } = await start(t, record);
  const call = new BatchCall(t, daemon.address, undefined, bearer(token));
  call.write(...Array.from({ length: 10 }, () => line));
  call.request.end();
  // Of five the batch itself took one, and one is left for others.
  for (let number = 1; number <= 3; number++) {
    t.match(await call.next(), { line: number, status: 201 });
  }
  const cancel = { method: 'POST', path: `/v1/tasks/${taskId}/retry`, headers: bearer(token) };
  daemon.controller.behaviour = (message, connection) => {
    if (message.kind !== 'retryTask') storing(message, connection);
    else connection.send({ kind: 'task', requestId: message.requestId, task: pending() });
  };
  t.equal((await daemon.ask(cancel)).status, 200, 'a request beside it comes through');
  assertProblem(t, await daemon.ask(cancel), 429, 'RATE_LIMITED');
  t.equal(groupsOf(daemon.controller.received).length, 3, 'the others wait');
  tokens.replace([{ ...record, rate: { perSecond: 1_000, burst: 1_000 } }]);
  for (let number = 4; number <= 10; number++) {
    t.match(await call.next(), { line: number, status: 201 }, 'none is refused');
  }
  t.equal(await call.next(), undefined);
});

t.test('a batch whose client went away does not wait for its rate any more', async (t) => {
  const { token, record } = sampleToken({ rate: { perSecond: 0.001, burst: 3 } });
  const { tokens, daemon } = await start(t, record);
  const call = new BatchCall(t, daemon.address, undefined, bearer(token));
  call.write(line, line, line);
  t.match(await call.next(), { line: 1, status: 201 });
  call.request.destroy();
  // Its end shows by that the daemon can be closed without cutting it off.
  await daemon.close();
  tokens.replace([{ ...record, rate: { perSecond: 1_000, burst: 1_000 } }]);
  t.equal(groupsOf(daemon.controller.received).length, 1);
});

const ends: [string, (record: TokenRecord) => TokenRecord[], string, RegExp][] = [
  ['was revoked', () => [sampleToken().record], 'UNAUTHORIZED', /revoked/],
  [
    'has expired',
    (record) => [{ ...record, expiresAt: '2026-01-01T00:00:00Z' }],
    'UNAUTHORIZED',
    /expired at 2026-01-01/,
  ],
  [
    'lost its scope',
    (record) => [{ ...record, scopes: ['read'] }],
    'INSUFFICIENT_SCOPE',
    /scope submit/,
  ],
];
for (const [what, change, code, detail] of ends) {
  t.test(`a batch ends when its token ${what}`, async (t) => {
    const { token, record } = sampleToken();
    const { tokens, daemon } = await start(t, record);
    const call = new BatchCall(t, daemon.address, '/v1/tasks/batch?wait=600', bearer(token));
    call.write(line);
    t.match(await call.next(), { line: 1, status: 201 });
    const { requestId } = await daemon.controller.next('watch');
    tokens.replace(change(record));
    // Its body has no end: it ends by itself.
    call.write(line);
    t.match(await call.next(), { line: 2, error: { code, detail } });
    t.match(await call.next(), { line: 3, error: { code } });
    daemon.controller.say({ kind: 'task', requestId, task: finished() });
    const last = await call.next();
    t.match(last, { line: 1, error: { code } });
    t.notHas(last, { task: {} }, 'nor is it told what came of those before');
    t.equal(await call.next(), undefined);
    t.equal(groupsOf(daemon.controller.received).length, 1);
  });
}

/** Ends the token as soon as the task is stored, before anybody can watch it. */
const endingOf =
  (tokens: Tokens): Behaviour =>
  (message, connection) => {
    storing(message, connection);
    if (message.kind === 'submit') tokens.replace([sampleToken().record]);
  };

t.test('a token that ends before the task it stored is watched ends nothing else', async (t) => {
  const { token, record } = sampleToken();
  const { tokens, daemon } = await start(t, record);
  daemon.controller.behaviour = endingOf(tokens);
  const path = '/v1/tasks/batch?wait=600';
  const call = new BatchCall(t, daemon.address, path, bearer(token));
  call.write(line);
  t.match(await call.next(), { line: 1, status: 201, task: { id: taskId } });
  const refused = { status: 401, error: { code: 'UNAUTHORIZED' } };
  t.match(await call.next(), { line: 1, ...refused }, 'what comes of it is not told');
  call.write(line);
  t.match(await call.rest(), [
    { line: 2, ...refused },
    { line: 3, ...refused },
  ]);
  t.same(
    daemon.controller.received.map(({ kind }) => kind),
    ['submit'],
  );
});

t.test('a submission whose token ends before its task is watched is answered', async (t) => {
  const { token, record } = sampleToken();
  const { tokens, daemon } = await start(t, record);
  daemon.controller.behaviour = endingOf(tokens);
  const answer = await daemon.ask({
    ...{ method: 'POST', path: '/v1/tasks?wait=600', body: JSON.stringify(line) },
    headers: { 'content-type': 'application/json', ...bearer(token) },
  });
  t.equal(answer.status, 202, 'it is stored, and runs');
  t.match(answer.json, { id: taskId, state: 'pending' });
});

t.test('a batch whose token is bound to another group goes on in that one', async (t) => {
  const { token, record } = sampleToken({ group: 'one' });
  const { tokens, daemon } = await start(t, record);
  const call = new BatchCall(t, daemon.address, undefined, bearer(token));
  call.write(line);
  t.match(await call.next(), { line: 1, status: 201 });
  tokens.replace([{ ...record, group: 'two' }]);
  call.write(line, { ...line, group: 'one' });
  t.match(await call.rest(), [
    { line: 2, status: 201 },
    { line: 3, status: 403, error: { code: 'GROUP_NOT_ALLOWED' } },
  ]);
  t.same(groupsOf(daemon.controller.received), ['one', 'two']);
});

t.test('a long poll does not tell a token that was revoked meanwhile', async (t) => {
  const { token, record } = sampleToken();
  const { tokens, daemon } = await start(t, record);
  const path = `/v1/tasks/${taskId}?wait=600`;
  const asked = daemon.ask({ path, headers: bearer(token) });
  const { requestId } = await daemon.controller.next('watch');
  tokens.replace([sampleToken().record]);
  daemon.controller.say({ kind: 'task', requestId, task: finished() });
  assertProblem(t, await asked, 401, 'UNAUTHORIZED');
});

t.test('an event stream ends when its token is revoked, or leaves the group', async (t) => {
  for (const change of [{ group: 'theirs' }, undefined]) {
    const { token, record } = sampleToken({ group: 'ours' });
    const { tokens, daemon } = await start(t, record, silent);
    const attempts = [{ attempt: 1, worker: 'bash-1', startedAt: 1_700_000_000_500 }];
    const task = pending({ state: 'running', attempt: 1, attempts, group: 'ours' });
    daemon.controller.behaviour = (message, connection) => {
      if (message.kind !== 'get') return;
      connection.send({ kind: 'task', requestId: message.requestId, task });
    };
    const path = `/v1/tasks/${taskId}/events`;
    const reader = await EventReader.open(daemon.address, path, bearer(token));
    const say = (requestId: number, text: string) =>
      daemon.controller.say({
        ...{ kind: 'progress', requestId },
        output: { stdout: Buffer.from(text), stderr: Buffer.alloc(0) },
      });
    say((await daemon.controller.next('followTask')).requestId, 'before');
    await reader.find(({ data }) => data.text === 'before');
    const { requestId } = await daemon.controller.next('followTask');
    tokens.replace(change ? [{ ...record, ...change }] : [sampleToken().record]);
    say(requestId, 'after');
    const events = await reader.rest();
    t.notMatch(JSON.stringify(events), /after/);
    t.match(reader.comments.at(-1), change ? /^UNKNOWN_TASK/ : /^UNAUTHORIZED .* was revoked/);
  }
});

t.test('a quiet stream asks again, so that it can be refused', async (t) => {
  let asked = 0;
  const source = {
    get: async () => pending(),
    follow: () => {
      asked += 1;
      return { answer: new Promise<never>(() => undefined), forget: () => undefined };
    },
  };
  const text = new TaskEvents(source, pending(), cursorStart, silentLog).text(() => undefined);
  for (let piece = 0; piece < 2; piece++) await text.next();
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  for (let time = 1; time <= 2; time++) {
    const next = text.next();
    await new Promise((resolve) => setImmediate(resolve));
    t.equal(asked, time);
    mock.timers.tick(httpLimits.keepEventsAliveMs);
    await next;
  }
});

t.test('no token takes all batches, or all event streams', async (t) => {
  const one = sampleToken();
  const other = sampleToken();
  const daemon = await startDaemon(t, { tokens: new Tokens([one.record, other.record]) });
  daemon.controller.behaviour = storing;
  const begin = (token: string) => new BatchCall(t, daemon.address, undefined, bearer(token));
  const calls = Array.from({ length: httpLimits.batchesPerTokenMax }, () => begin(one.token));
  for (const call of calls) {
    call.write(line);
    t.match(await call.next(), { status: 201 });
  }
  const path = '/v1/tasks/batch';
  const headers = { 'content-type': 'application/x-ndjson' };
  const body = JSON.stringify(line);
  const ask = (token: string) =>
    daemon.ask({ method: 'POST', path, headers: { ...headers, ...bearer(token) }, body });
  assertProblem(t, await ask(one.token), 429, 'OVERLOADED');
  t.equal((await ask(other.token)).status, 200, 'others have theirs');
  await calls[0]?.rest();
  t.equal((await ask(one.token)).status, 200, 'there is room again');

  const streams = new EventStreams();
  const [token, neighbour] = [one, other].map(({ token }) =>
    new Tokens([one.record, other.record]).find(token),
  );
  const stream = { stop: () => undefined };
  const max = httpLimits.eventStreamsPerTokenMax;
  const removes = Array.from({ length: max }, (_, index) =>
    streams.add(`task ${index % 100}`, { ...stream }, token),
  );
  t.throws(() => streams.add('another', stream, token), { code: 'TOO_MANY_STREAMS' });
  streams.add('another', { ...stream }, neighbour);
  for (const remove of removes.slice(0, 1)) for (let time = 0; time < 2; time++) remove();
  streams.add('another', { ...stream }, token);
  t.throws(() => streams.add('another', stream, token), { code: 'TOO_MANY_STREAMS' });
});
