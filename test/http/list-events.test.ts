import { mock } from 'node:test';
import t, { type Test } from 'tap';
import { EventStreams } from '../../src/http/event-streams.js';
import { httpLimits } from '../../src/http/limits.js';
import { ListStream } from '../../src/http/list-stream.js';
import { type ListedPage, ListedPages } from '../../src/http/listed-pages.js';
import { Tokens } from '../../src/http/tokens.js';
import type { TaskView } from '../../src/task.js';
import type { MessageOf } from '../../src/wire/messages.js';
import { assertProblem, type Daemon, silentLog, startDaemon } from './daemon.js';
import { EventReader } from './event-reader.js';
import { type Behaviour, pending, refuseWith } from './fake-controller.js';
import { bearer, sampleToken } from './token-samples.js';

const path = '/v1/tasks/events';
const idOf = (number: number) => `01890a5d-ac96-774b-bcce-${String(number).padStart(12, '0')}`;
const taskOf = (number: number, changes: Partial<TaskView> = {}) =>
  pending({ id: idOf(number), ...changes });

/** Answers each `list` with the tasks that there are then; counts the questions. */
function lists(tasks: () => TaskView[], next?: () => string | undefined) {
  const asked: MessageOf<'list'>[] = [];
  const behaviour: Behaviour = (message, connection) => {
    if (message.kind !== 'list') return;
    asked.push(message);
    const cursor = next?.();
    connection.send({
      ...{ kind: 'page', requestId: message.requestId, tasks: tasks() },
      ...(cursor !== undefined && { next: cursor }),
    });
  };
  return { asked, behaviour };
}

async function open(t: Test, daemon: Daemon, query = '', headers: Record<string, string> = {}) {
  const reader = await EventReader.open(daemon.address, path + query, headers);
  t.teardown(() => reader.destroy());
  return reader;
}

const orderOf = (data: Record<string, unknown> | undefined) => data?.order as string[];
const tasksOf = (data: Record<string, unknown> | undefined) => data?.tasks as { id: string }[];

t.test('the page comes whole, and then what changes in it', async (t) => {
  const daemon = await startDaemon(t);
  let tasks = [taskOf(2), taskOf(1)];
  const { asked, behaviour } = lists(
    () => tasks,
    () => 'abc',
  );
  daemon.controller.behaviour = behaviour;
  const reader = await open(t, daemon, '?state=pending&text=X+y&limit=3');
  t.equal(reader.status, 200);
  t.equal(reader.headers['content-type'], 'text/event-stream');
  const first = await reader.next();
  t.equal(first?.name, 'tasks');
  t.match(first?.data, { order: [idOf(2), idOf(1)], next: 'abc' });
  t.match(tasksOf(first?.data), [
    { id: idOf(2), state: 'pending', createdAt: '2023-11-14T22:13:20.000Z' },
    { id: idOf(1) },
  ]);
  const { kind: _, requestId: __, ...query } = asked[0] as MessageOf<'list'>;
  t.same(query, { state: 'pending', text: 'X y', limit: 3 });

  const attempts = [{ attempt: 1, worker: 'bash-1', startedAt: 1_700_000_000_500 }];
  tasks = [taskOf(3), taskOf(2), taskOf(1, { state: 'running', attempt: 1, attempts })];
  const second = await reader.next();
  t.same(orderOf(second?.data), [idOf(3), idOf(2), idOf(1)]);
  t.match(tasksOf(second?.data), [{ id: idOf(3) }, { id: idOf(1), state: 'running' }]);

  tasks = tasks.slice(0, 2);
  const third = await reader.next();
  t.same(tasksOf(third?.data), [], 'one that is gone is only not in the order any more');
  t.same(orderOf(third?.data), [idOf(3), idOf(2)]);
  tasks = [...tasks, taskOf(1)];
  t.match(tasksOf((await reader.next())?.data), [{ id: idOf(1) }], 'one that comes back is new');
});

t.test('an empty page is told as well, and nothing as long as nothing changes', async (t) => {
  const daemon = await startDaemon(t);
  let tasks: TaskView[] = [];
  const { asked, behaviour } = lists(() => tasks);
  daemon.controller.behaviour = behaviour;
  const reader = await open(t, daemon);
  t.same((await reader.next())?.data, { tasks: [], order: [] });
  while (asked.length < 3) await new Promise((resolve) => setTimeout(resolve, 20));
  tasks = [taskOf(1)];
  t.same(orderOf((await reader.next())?.data), [idOf(1)], 'nothing came in between');
});

t.test(
  'equal lists are asked for once, others by themselves, and none when nobody listens',
  async (t) => {
    const daemon = await startDaemon(t);
    const { asked, behaviour } = lists(() => [taskOf(1)]);
    daemon.controller.behaviour = behaviour;
    const readers = await Promise.all(Array.from({ length: 8 }, () => open(t, daemon)));
    for (const reader of readers) t.same(orderOf((await reader.next())?.data), [idOf(1)]);
    t.ok(asked.length < readers.length);
    const other = await open(t, daemon, '?type=bash');
    await other.next();
    t.ok(asked.some(({ type }) => type === 'bash'));
    for (const reader of [...readers, other]) reader.destroy();
    // Its end shows by that the daemon can be closed without cutting it off.
    await daemon.close();
  },
);

t.test('a token of a group follows its own tasks, and shares with its like only', async (t) => {
  const [ours, theirs] = [sampleToken({ group: 'ours' }), sampleToken({ group: 'theirs' })];
  const whole = sampleToken();
  const tokens = new Tokens([ours, theirs, whole].map(({ record }) => record));
  const daemon = await startDaemon(t, { tokens });
  daemon.controller.behaviour = (message, connection) => {
    if (message.kind !== 'list') return;
    const { requestId, group } = message;
    const tasks = group === undefined ? [taskOf(1), taskOf(2)] : [taskOf(1, { group })];
    connection.send({ kind: 'page', requestId, tasks });
  };
  const groupsOf = async (token: string, query = '') => {
    const event = await (await open(t, daemon, query, bearer(token))).next();
    return ((event?.data.tasks ?? []) as { group?: string }[]).map(({ group }) => group);
  };
  t.same(await groupsOf(ours.token), ['ours']);
  t.same(await groupsOf(theirs.token), ['theirs']);
  t.same(await groupsOf(whole.token), [undefined, undefined]);
  t.same(await groupsOf(ours.token, '?group=theirs'), []);
  assertProblem(t, await daemon.ask({ path }), 401, 'UNAUTHORIZED');
});

t.test(
  'a stream ends when its token is revoked, and others with the same list go on',
  async (t) => {
    const [one, two] = [sampleToken(), sampleToken()];
    const tokens = new Tokens([one.record, two.record]);
    const daemon = await startDaemon(t, { tokens });
    let tasks = [taskOf(1)];
    daemon.controller.behaviour = lists(() => tasks).behaviour;
    const readers = await Promise.all(
      [one, two].map(({ token }) => open(t, daemon, '', bearer(token))),
    );
    for (const reader of readers) await reader.next();
    tokens.replace([two.record]);
    tasks = [taskOf(2)];
    t.same(await readers[0]?.rest(), []);
    t.match(readers[0]?.comments, [/^UNAUTHORIZED the token .* was revoked/]);
    t.same(orderOf((await readers[1]?.next())?.data), [idOf(2)]);
  },
);

t.test('what is no list is refused at once', async (t) => {
  const daemon = await startDaemon(t);
  const refused = async (query: string, code: string) =>
    assertProblem(t, await daemon.ask({ path: path + query }), 400, code);
  await refused('?cursor=abc', 'UNKNOWN_PARAMETER');
  await refused('?limit=0', 'INVALID_FIELD');
  await refused('?text=', 'INVALID_FIELD');
  await refused(`?text=${'x'.repeat(129)}`, 'INVALID_FIELD');
  const head = await daemon.ask({ method: 'HEAD', path });
  t.equal(head.status, 405);
  t.same(daemon.controller.received, []);
});

t.test('what the controller refuses ends the stream, in its words', async (t) => {
  const daemon = await startDaemon(t);
  daemon.controller.behaviour = refuseWith('STORE_FAILED', 'the disk says no');
  const reader = await open(t, daemon);
  t.same(await reader.rest(), []);
  t.match(reader.comments, [/^STORE_FAILED the disk says no/]);
});

t.test('a controller that is being restarted is waited for', async (t) => {
  const daemon = await startDaemon(t, { controllerWaitMs: 50 });
  let tasks = [taskOf(1)];
  const { behaviour } = lists(() => tasks);
  daemon.controller.behaviour = behaviour;
  const reader = await open(t, daemon);
  await reader.next();
  daemon.controller.stop();
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  tasks = [taskOf(2)];
  daemon.controller.start();
  t.same(orderOf((await reader.next())?.data), [idOf(2)]);
});

t.test('streams end with the daemon, also while they wait', async (t) => {
  const daemon = await startDaemon(t);
  daemon.controller.behaviour = lists(() => []).behaviour;
  const reader = await open(t, daemon);
  await reader.next();
  const closed = daemon.close();
  t.same(await reader.rest(), []);
  await closed;
});

t.test('lists are not of a task: there may be more of them, and still not too many', async (t) => {
  const streams = new EventStreams();
  const add = () => streams.add(undefined, { stop: () => undefined });
  for (let count = 0; count < httpLimits.eventStreamsMax; count++) add();
  t.throws(add, { code: 'TOO_MANY_STREAMS' });
});

const always = () => true;

t.test('there is one question at a time, and a rest after each', async (t) => {
  const pages = new ListedPages();
  let open = 0;
  let most = 0;
  const ask = async () => {
    most = Math.max(most, ++open);
    await new Promise((resolve) => setTimeout(resolve, 20));
    open -= 1;
    return { tasks: [] };
  };
  const begunMs = performance.now();
  await Promise.all(['a', 'b', 'c'].map((key) => pages.look(key, ask, always).page));
  t.equal(most, 1);
  const leastMs = (3 + 2 * httpLimits.listRestFactor) * 19;
  t.ok(performance.now() - begunMs >= leastMs, 'it never takes all of the time');
  const failing = pages.look('d', () => Promise.reject(new Error('no')), always);
  t.ok(pages.look('d', ask, always).isShared);
  await t.rejects(failing.page, { message: 'no' });
  const again = pages.look('d', ask, always);
  t.notOk(again.isShared, 'a failure is not kept');
  await again.page;
});

t.test('what nobody wants any more when its turn comes is not asked', async (t) => {
  const daemon = await startDaemon(t);
  const { asked, behaviour } = lists(() => []);
  let answer: () => void = () => undefined;
  daemon.controller.behaviour = (message, connection) => {
    if (message.kind !== 'list') return;
    if (asked.length > 0) behaviour(message, connection);
    else {
      asked.push(message);
      answer = () => {
        connection.send({ kind: 'page', requestId: message.requestId, tasks: [] });
      };
    }
  };
  const first = await open(t, daemon);
  while (asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  const gone = await Promise.all(
    Array.from({ length: 20 }, (_, index) => open(t, daemon, `?text=gone-${index}`)),
  );
  const shared = await Promise.all([0, 1].map(() => open(t, daemon, '?text=shared')));
  for (const reader of [...gone, shared[0]]) reader?.destroy();
  await new Promise((resolve) => setTimeout(resolve, 500));
  answer();
  await first.next();
  t.same((await shared[1]?.next())?.data, { tasks: [], order: [] }, 'somebody else wants it');
  t.same(
    asked.filter(({ text }) => text?.startsWith('gone')),
    [],
  );
});

t.test('what comes for another group than was asked for is shared with nobody', async (t) => {
  const [moved, stays] = [sampleToken({ group: 'old' }), sampleToken({ group: 'old' })];
  const blocker = sampleToken();
  const tokens = new Tokens([moved, stays, blocker].map(({ record }) => record));
  const daemon = await startDaemon(t, { tokens });
  const waiting: (() => void)[] = [];
  daemon.controller.behaviour = (message, connection) => {
    if (message.kind !== 'list') return;
    const { requestId, group } = message;
    const task = taskOf(1, { ...(group !== undefined && { group }) });
    const answer = () => connection.send({ kind: 'page', requestId, tasks: [task] });
    if (message.text === 'first' && waiting.length === 0) waiting.push(answer);
    else answer();
  };
  await open(t, daemon, '?text=first', bearer(blocker.token));
  while (waiting.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  await open(t, daemon, '', bearer(moved.token));
  const reader = await open(t, daemon, '', bearer(stays.token));
  await new Promise((resolve) => setTimeout(resolve, 200));
  tokens.replace([{ ...moved.record, group: 'new' }, stays.record, blocker.record]);
  for (const answer of waiting) answer();
  t.match(tasksOf((await reader.next())?.data), [{ group: 'old' }]);
});

t.test('a quiet stream is kept alive by comments', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  let nowMs = 0;
  const clock = mock.method(performance, 'now', () => nowMs);
  t.teardown(() => clock.mock.restore());
  const page: ListedPage = { tasks: [] };
  const stream = new ListStream(async () => page, silentLog);
  const text = stream.text(() => () => undefined);
  t.match((await text.next()).value, /^retry: /);
  t.match((await text.next()).value, /^event: tasks/);
  const comment = text.next();
  let isThere = false;
  void comment.then(() => {
    isThere = true;
  });
  while (!isThere) {
    nowMs += httpLimits.listEveryMs;
    mock.timers.tick(httpLimits.listEveryMs);
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.equal((await comment).value, ':\n\n');
  t.ok(nowMs >= httpLimits.keepEventsAliveMs);
  stream.stop();
  t.equal((await text.next()).done, true);
});
