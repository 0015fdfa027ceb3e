import { mock } from 'node:test';
import t from 'tap';
import { ScriptdError } from '../../src/errors.js';
import type { Progress } from '../../src/http/controller-port.js';
import { EventStreams } from '../../src/http/event-streams.js';
import { httpLimits } from '../../src/http/limits.js';
import { pulledInTime } from '../../src/http/pulled-in-time.js';
import { TaskEvents } from '../../src/http/task-events.js';
import { taskHistory } from '../../src/http/task-history.js';
import { limits } from '../../src/limits.js';
import type { TaskView } from '../../src/task.js';
import { cursorStart, type TaskCursor } from '../../src/task-cursor.js';
import type { Connection } from '../../src/wire/connection.js';
import type { Message } from '../../src/wire/messages.js';
import { assertProblem, type Daemon, silentLog, startDaemon } from './daemon.js';
import { EventReader, outputOf } from './event-reader.js';
import { type Behaviour, finished, pending, refuseWith, taskId } from './fake-controller.js';

const path = `/v1/tasks/${taskId}/events`;
const bytes = (text: string) => Buffer.from(text);
const record = { attempt: 1, worker: 'python-1', startedAt: 1_700_000_000_500 };
const done = { ...record, finishedAt: 1_700_000_001_000, outcome: 'success' as const };
const running = (changes: Partial<TaskView> = {}) =>
  pending({ state: 'running', attempt: 1, attempts: [record], ...changes });
const ended = (changes: Partial<TaskView> = {}) => finished({ attempts: [done], ...changes });
const small = ({ stdout: _, stderr: __, ...rest }: TaskView) => rest;

/** A controller's answer to one `followTask`; undefined: it waits. */
type Step = (cursor: TaskCursor) => Progress | undefined;

/** Answers `get` with what `task` says at that time, and each `followTask` with the next step. */
function serve(task: () => TaskView, steps: Step[]): Behaviour {
  return (message: Message, connection: Connection) => {
    if (message.kind === 'get') {
      connection.send({ kind: 'task', requestId: message.requestId, task: task() });
    } else if (message.kind === 'followTask') {
      const progress = steps.shift()?.(message.cursor);
      const { requestId } = message;
      if (progress) connection.send({ kind: 'progress', requestId, ...progress });
    }
  };
}

const open = (daemon: Daemon, headers: Record<string, string> = {}, query = '') =>
  EventReader.open(daemon.address, path + query, headers);

const ids = (events: { id: string }[]) => events.map(({ id }) => id);

t.test('states and outputs come as they are, and the task at the end', async (t) => {
  const daemon = await startDaemon(t);
  let task: TaskView = pending();
  const cursors: TaskCursor[] = [];
  const step =
    (then: Step): Step =>
    (cursor) => {
      cursors.push(cursor);
      return then(cursor);
    };
  daemon.controller.behaviour = serve(
    () => task,
    [
      step(() => ({ task: small(running()) })),
      step(() => ({ output: { stdout: bytes('ä\n'), stderr: bytes('') } })),
      step(() => ({ output: { stdout: Buffer.from([255]), stderr: bytes('err') } })),
      step(() => {
        task = ended({
          stdout: Buffer.concat([bytes('ä\n'), Buffer.from([255]), bytes('!')]),
          stderr: bytes('err'),
          files: [{ name: 'f', content: bytes('secret') }],
        });
        return { task: small(task) };
      }),
    ],
  );
  const reader = await open(daemon);
  t.equal(reader.status, 200);
  t.equal(reader.headers['content-type'], 'text/event-stream');
  t.equal(reader.headers['cache-control'], 'no-store');
  const events = await reader.rest();
  t.same(ids(events), [
    '0-pending-0-0',
    '1-running-0-0',
    '1-running-3-0',
    '1-running-4-0',
    '1-running-4-3',
    '1-running-5-3',
    '1-finished-0-0',
    '1-end-0-0',
  ]);
  const at = '2023-11-14T22:13:20.000Z';
  t.same(events[0]?.data, { id: taskId, state: 'pending', attempt: 0, at });
  t.match(events[1]?.data, { state: 'running', attempt: 1, at: '2023-11-14T22:13:20.500Z' });
  t.same(events[2], {
    id: '1-running-3-0',
    name: 'stdout',
    data: { attempt: 1, offset: 0, text: 'ä\n' },
  });
  t.same(events[3]?.data, { attempt: 1, offset: 3, base64: '/w==' });
  t.same(events[4], {
    id: '1-running-4-3',
    name: 'stderr',
    data: { attempt: 1, offset: 0, text: 'err' },
  });
  t.same(events[5]?.data, { attempt: 1, offset: 4, text: '!' }, 'the rest is what was stored');
  t.match(events[6], { name: 'state', data: { state: 'finished', outcome: 'success' } });
  t.match(events[7], { name: 'end', data: { id: taskId, state: 'finished', exitCode: 0 } });
  for (const absent of ['stdout', 'stderr', 'files', 'stdoutEncoding']) {
    t.notHas(events[7]?.data, absent);
  }
  const running1 = { attempt: 1, state: 'running', stdoutOffset: 0, stderrOffset: 0 };
  t.same(cursors, [
    { ...running1, attempt: 0, state: 'pending' },
    running1,
    { ...running1, stdoutOffset: 3 },
    { ...running1, stdoutOffset: 4, stderrOffset: 3 },
  ]);
});

t.test(
  'a task that has long ended is told from any event on, and not again after its end',
  async (t) => {
    const daemon = await startDaemon(t);
    const stdout = bytes('€'.repeat(20_000));
    const task = ended({ stdout, stderr: bytes('err') });
    daemon.controller.behaviour = serve(() => task, []);
    const all = await (await open(daemon)).rest();
    t.same(outputOf(all, 'stdout', 1), stdout);
    t.notOk(
      all.some(({ data }) => data.base64 !== undefined),
      'no character is cut in two',
    );
    for (const [index, { id }] of all.entries()) {
      const rest = all.slice(index + 1);
      const reader = await open(daemon, { 'last-event-id': id });
      t.same(await reader.rest(), rest, `after ${id}`);
      t.equal(reader.status, rest.length > 0 ? 200 : 204);
      const byUrl = await open(daemon, {}, `?lastEventId=${id}`);
      t.same(ids(await byUrl.rest()), ids(rest), 'the same by the parameter');
    }
    const beyond = await (await open(daemon, { 'last-event-id': '1-running-999999-0' })).rest();
    t.same(ids(beyond), ['1-running-999999-3', '1-finished-0-0', '1-end-0-0']);
    t.equal(daemon.controller.received.filter(({ kind }) => kind === 'followTask').length, 0);
  },
);

t.test('every attempt is told of, with how it ended', async (t) => {
  const lost = { outcome: 'network_fail', code: 'WORKER_LOST', reason: 'It is lost.' } as const;
  const second = { ...done, attempt: 2, startedAt: 1_700_000_002_000 };
  const attempts = [{ ...done, ...lost }, second];
  const retried = pending({
    attempt: 1,
    attempts: attempts.slice(0, 1),
    nextAttemptAt: 1_700_000_003_000,
  });
  const states = (task: TaskView) =>
    taskHistory(task).map(({ attempt, state }) => `${attempt} ${state}`);
  t.same(states(retried), ['0 pending', '1 running', '1 pending']);
  t.match(taskHistory(retried).at(-1)?.json, {
    ...lost,
    nextAttemptAt: '2023-11-14T22:13:23.000Z',
  });
  const over = finished({ attempt: 2, attempts, finishedAt: second.finishedAt });
  t.same(states(over), ['0 pending', '1 running', '1 pending', '2 running', '2 finished']);
  const cancelled = finished({
    ...{ attempt: 1, attempts: attempts.slice(0, 1), outcome: 'cancelled', code: 'CANCELLED' },
    finishedAt: 1_700_000_009_000,
  });
  t.same(states(cancelled), ['0 pending', '1 running', '1 pending', '1 finished']);
  t.match(taskHistory(cancelled).at(-1)?.json, { outcome: 'cancelled', code: 'CANCELLED' });
  const never = finished({ attempt: 0, attempts: [], outcome: 'expired' });
  t.same(states(never), ['0 pending', '0 finished']);
});

t.test('one that was sent again is followed after its end', async (t) => {
  const daemon = await startDaemon(t);
  let task: TaskView = pending({ attempt: 1, attempts: [done] });
  daemon.controller.behaviour = serve(
    () => task,
    [
      () => {
        const again = { ...done, attempt: 2, startedAt: 1_700_000_005_000 };
        task = finished({ attempt: 2, attempts: [done, again], stdout: bytes('again') });
        return { task: small(task) };
      },
    ],
  );
  const events = await (await open(daemon, { 'last-event-id': '1-end-0-0' })).rest();
  t.same(ids(events).slice(0, 2), ['2-running-0-0', '2-running-5-0']);
  t.equal(events.at(-1)?.name, 'end');
});

t.test('what is wrong with a request is told before anything is streamed', async (t) => {
  const daemon = await startDaemon(t);
  daemon.controller.behaviour = serve(() => ended(), []);
  for (const id of [
    'x',
    '1',
    '1-running',
    '1-nowhere-0-0',
    '-1-none-0-0',
    '1-running-0-0-0',
    '1-end-0-1e3',
  ]) {
    const byHeader = await daemon.ask({ path, headers: { 'last-event-id': id } });
    t.match(assertProblem(t, byHeader, 400, 'INVALID_FIELD'), { field: 'Last-Event-ID' });
    const byUrl = await daemon.ask({ path: `${path}?lastEventId=${encodeURIComponent(id)}` });
    t.match(assertProblem(t, byUrl, 400, 'INVALID_FIELD'), { field: 'lastEventId' });
  }
  const ahead = await daemon.ask({ path, headers: { 'last-event-id': '2-running-0-0' } });
  t.match(assertProblem(t, ahead, 400, 'INVALID_FIELD'), {
    detail: /of attempt 2; the task has had 1/,
  });
  const bad = await daemon.ask({ path: `${path}?lastEventID=1-end-0-0` });
  t.match(assertProblem(t, bad, 400, 'UNKNOWN_PARAMETER'), { detail: /lastEventId/ });
  assertProblem(t, await daemon.ask({ path: '/v1/tasks/x/events' }), 400, 'INVALID_TASK_ID');
  for (const method of ['POST', 'DELETE']) {
    const answer = await daemon.ask({ method, path });
    t.equal(assertProblem(t, answer, 405, 'METHOD_NOT_ALLOWED').status, 405);
    t.equal(answer.headers.allow, 'GET');
  }
  t.equal((await daemon.ask({ method: 'HEAD', path })).status, 405);
  daemon.controller.behaviour = refuseWith('UNKNOWN_TASK', 'there is no such task');
  assertProblem(t, await daemon.ask({ path }), 404, 'UNKNOWN_TASK');
});

/** True once nothing that was asked for before is under way. */
async function roundTrips(daemon: Daemon, count: number): Promise<void> {
  for (let trip = 0; trip < count; trip++) await daemon.ask({ path: `/v1/tasks/${taskId}` });
}

t.test('for a client that does not read nothing is asked, and it misses nothing', async (t) => {
  const daemon = await startDaemon(t);
  const part = Buffer.alloc(limits.liveBytesMax, 'x');
  // More than all the buffers on the way.
  const asksMax = 1_000;
  let asked = 0;
  let isOver = false;
  daemon.controller.behaviour = (message, connection) => {
    const task = isOver ? ended({ stdout: Buffer.alloc(asked * part.length, 'x') }) : running();
    if (message.kind === 'get') {
      connection.send({ kind: 'task', requestId: message.requestId, task });
    } else if (message.kind === 'followTask') {
      const { requestId } = message;
      if (isOver) {
        connection.send({ kind: 'progress', requestId, task: small(task) });
        return;
      }
      asked += 1;
      const output = { stdout: part, stderr: bytes('') };
      connection.send({ kind: 'progress', requestId, output });
    }
  };
  const reader = await open(daemon);
  let before = -1;
  while (asked !== before || asked === 0) {
    before = asked;
    await roundTrips(daemon, 100);
    if (asked > asksMax) break;
  }
  t.ok(asked < asksMax, `it was asked ${asked} times`);
  isOver = true;
  const events = await reader.rest();
  t.equal(outputOf(events, 'stdout', 1).length, asked * part.length);
  t.equal(events.at(-1)?.name, 'end');
});

t.test('a client that goes is forgotten at once', async (t) => {
  const daemon = await startDaemon(t);
  daemon.controller.behaviour = serve(() => running(), []);
  const reader = await open(daemon);
  const { requestId } = await daemon.controller.next('followTask');
  reader.destroy();
  t.equal((await daemon.controller.next('forget')).requestId, requestId);
});

t.test(
  'a controller that goes away and comes back is asked again, however long it takes',
  async (t) => {
    const daemon = await startDaemon(t, { controllerWaitMs: 1 });
    let task: TaskView = running();
    daemon.controller.behaviour = serve(
      () => task,
      [() => ({ output: { stdout: bytes('one'), stderr: bytes('') } })],
    );
    const reader = await open(daemon);
    await reader.find(({ name }) => name === 'stdout');
    await daemon.controller.next('followTask');
    await daemon.controller.next('followTask');
    daemon.controller.stop();
    // Its wait for a connection is over more than once.
    const away = await daemon.ask({ path: `/v1/tasks/${taskId}` });
    assertProblem(t, away, 503, 'CONTROLLER_UNAVAILABLE');
    task = ended({ stdout: bytes('one two') });
    daemon.controller.behaviour = serve(() => task, [() => ({ task: small(task) })]);
    daemon.controller.start();
    const { cursor } = await daemon.controller.next('followTask');
    t.same(cursor, { attempt: 1, state: 'running', stdoutOffset: 3, stderrOffset: 0 });
    // It does not wait for the one of `get`, which may come before there is a connection.
    const rest = await reader.rest();
    if (rest.length === 0) t.match(reader.comments.at(-1), /^CONTROLLER_UNAVAILABLE/);
    else t.match(rest[0], { name: 'stdout', data: { offset: 3, text: ' two' } });
  },
);

t.test('what ends a stream early is told in a comment', async (t) => {
  const daemon = await startDaemon(t);
  daemon.controller.behaviour = (message, connection) => {
    if (message.kind === 'get') serve(() => running(), [])(message, connection);
    else refuseWith('UNKNOWN_TASK', 'there is no task\nany more')(message, connection);
  };
  const reader = await open(daemon);
  t.same(ids(await reader.rest()), ['0-pending-0-0', '1-running-0-0']);
  t.equal(reader.comments.at(-1), 'UNKNOWN_TASK there is no task any more');
});

t.test('a task has so many streams, and those that go make room', async (t) => {
  const daemon = await startDaemon(t);
  daemon.controller.behaviour = serve(() => running(), []);
  const count = httpLimits.eventStreamsPerTaskMax;
  const readers = await Promise.all(Array.from({ length: count }, () => open(daemon)));
  const refused = await daemon.ask({ path });
  t.match(assertProblem(t, refused, 429, 'TOO_MANY_STREAMS'), { taskId });
  t.equal(refused.headers['retry-after'], '5');
  readers[0]?.destroy();
  await daemon.controller.next('forget');
  const again = await open(daemon);
  t.equal(again.status, 200);
  for (const reader of [again, ...readers]) reader.destroy();
});

t.test('all tasks together have so many, and a daemon that closes ends them', async (t) => {
  const streams = new EventStreams();
  let stopped = 0;
  const stop = () => {
    stopped += 1;
  };
  const removes = Array.from({ length: httpLimits.eventStreamsMax }, (_, index) =>
    streams.add(`task ${index % 100}`, { stop }),
  );
  t.throws(() => streams.add('another', { stop }), { code: 'TOO_MANY_STREAMS', status: 429 });
  removes[0]?.();
  removes[0]?.();
  streams.add('another', { stop });
  t.throws(() => streams.add('another', { stop }), { code: 'TOO_MANY_STREAMS' });
  streams.close();
  t.equal(stopped, httpLimits.eventStreamsMax);
});

t.test('a daemon that is stopped ends its streams and does not wait for them', async (t) => {
  const daemon = await startDaemon(t, { drainMs: 3_600_000 });
  daemon.controller.behaviour = serve(() => running(), []);
  const reader = await open(daemon);
  await daemon.controller.next('followTask');
  const closed = daemon.close();
  t.same(ids(await reader.rest()), ['0-pending-0-0', '1-running-0-0'], 'in order, without an end');
  await closed;
});

/** The text of a stream whose controller is asked by hand. */
function textOf(follow: (cursor: TaskCursor) => Promise<Progress>) {
  let forgotten = 0;
  const source = {
    get: async () => running(),
    follow: (_taskId: string, cursor: TaskCursor) => ({
      answer: follow(cursor),
      forget: () => {
        forgotten += 1;
      },
    }),
  };
  const events = new TaskEvents(source, running(), cursorStart, silentLog);
  return { events, text: events.text(() => undefined), forgotten: () => forgotten };
}

t.test('a comment keeps a quiet stream alive', async (t) => {
  const { text } = textOf(() => new Promise(() => undefined));
  for (let piece = 0; piece < 3; piece++) await text.next();
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  for (let time = 0; time < 2; time++) {
    const next = text.next();
    await new Promise((resolve) => setImmediate(resolve));
    mock.timers.tick(httpLimits.keepEventsAliveMs);
    t.same(await next, { value: ':\n\n', done: false });
  }
});

t.test('a client that takes nothing for long is cut off, a slow one is not', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  let cut = 0;
  async function* pieces() {
    for (let piece = 0; piece < 4; piece++) yield piece;
  }
  const pulled = pulledInTime(pieces(), httpLimits.eventStallMs, () => {
    cut += 1;
  });
  for (let piece = 0; piece < 3; piece++) {
    t.equal((await pulled.next()).value, piece);
    mock.timers.tick(httpLimits.eventStallMs - 1);
  }
  t.equal(cut, 0);
  mock.timers.tick(1);
  t.equal(cut, 1);
  await pulled.return(undefined);
});

t.test('a fault of ours ends one stream, and shows nothing of itself', async (t) => {
  const { text, forgotten } = textOf(async () => {
    throw new TypeError('the inside');
  });
  const pieces: string[] = [];
  for await (const piece of text) pieces.push(piece);
  t.match(pieces.at(-1), /^: INTERNAL something failed inside scriptd/);
  t.equal(forgotten(), 1);
});

t.test('the outputs of a finished task are accounted for while they are read', async (t) => {
  const task = ended({ stdout: bytes('abc'), stderr: bytes('de') });
  const source = {
    get: async () => task,
    follow: () => {
      throw new Error('there is nothing to follow');
    },
  };
  const held: number[] = [];
  const events = new TaskEvents(source, task, cursorStart, silentLog);
  let last = '';
  for await (const piece of events.text((count) => held.push(count))) last = piece;
  t.match(last, /^id: 1-end-0-0$/m);
  t.same(held, [5]);
});

t.test('one that is stopped before it has asked asks no more', async (t) => {
  const { events, text } = textOf(() => Promise.reject(new ScriptdError('FORGOTTEN', 'x')));
  await text.next();
  events.stop();
  const pieces: string[] = [];
  for await (const piece of text) pieces.push(piece);
  t.same(pieces, []);
});
