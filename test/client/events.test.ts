import t from 'tap';
import { Scriptd, type TaskEvent } from '../../src/client/index.js';
import { json, problem, scripted, stream, taskId } from './scripted.js';

const event = (id: string, name: string, data: object, end = '\n') =>
  `id: ${id}${end}event: ${name}${end}data: ${JSON.stringify(data)}${end}${end}`;
const started = event('1', 'state', { id: taskId, state: 'running', attempt: 1 });
const output = event('2', 'stdout', { attempt: 1, offset: 0, text: 'héllo\n' });
const ended = event('3', 'end', { id: taskId, state: 'finished', outcome: 'success' });

async function all(events: AsyncIterable<TaskEvent>): Promise<TaskEvent[]> {
  const found: TaskEvent[] = [];
  for await (const one of events) found.push(one);
  return found;
}

t.test('events come one by one, however the bytes are cut', async (t) => {
  const text = `: hello\n\n${started}${output}${ended}`;
  const bytes = Buffer.from(text);
  const cuts = Array.from(bytes, (_, at) => bytes.subarray(at, at + 1) as unknown as string);
  const { url, asked } = await scripted(t, stream(cuts, 'stay'));
  const events = await all(new Scriptd({ url }).events(taskId));
  t.match(events, [
    { cursor: '1', event: 'state', data: { state: 'running' } },
    { cursor: '2', event: 'stdout', data: { text: 'héllo\n', offset: 0 } },
    { cursor: '3', event: 'end', data: { outcome: 'success' } },
  ]);
  t.equal(asked.length, 1, 'after the end nothing more is asked');
  t.match(asked[0], {
    path: `/v1/tasks/${taskId}/events`,
    headers: { accept: 'text/event-stream' },
  });
});

t.test('lines may end with CR LF', async (t) => {
  const { url } = await scripted(t, stream([ended.replaceAll('\n', '\r\n')], 'end'));
  t.match(await all(new Scriptd({ url }).events(taskId)), [{ event: 'end' }]);
});

t.test('a connection that breaks goes on where it was, without half an event', async (t) => {
  const half = output.slice(0, -3);
  const { url, asked } = await scripted(
    t,
    stream([started, half], 'break'),
    problem(503, 'CONTROLLER_UNAVAILABLE'),
    stream([output], 'end'),
    stream([ended], 'stay'),
  );
  const events = await all(new Scriptd({ url }).events(taskId));
  t.same(
    events.map(({ cursor }) => cursor),
    ['1', '2', '3'],
  );
  t.same(
    asked.map(({ headers }) => headers['last-event-id']),
    [undefined, '1', '1', '2'],
  );
});

t.test('who goes on after the end gets nothing', async (t) => {
  const { url, asked } = await scripted(t, (response) => response.writeHead(204).end());
  t.same(await all(new Scriptd({ url }).events(taskId, { lastEventId: '3' })), []);
  t.equal(asked[0]?.headers['last-event-id'], '3');
});

t.test('a refusal ends it', async (t) => {
  const { url, asked } = await scripted(t, problem(404, 'UNKNOWN_TASK'));
  await t.rejects(all(new Scriptd({ url }).events(taskId)), { code: 'UNKNOWN_TASK' });
  t.equal(asked.length, 1);
});

t.test('a service that answers something else is not asked for ever', async (t) => {
  const { url } = await scripted(t, stream(['event: stdout\ndata: {not json\n\n'], 'stay'));
  await t.rejects(all(new Scriptd({ url }).events(taskId)), { code: 'BAD_ANSWER' });
});

t.test('a signal, and a reader that has enough, close the connection', async (t) => {
  let closed = 0;
  const { url, asked: requests } = await scripted(t, (response, asked) => {
    response.on('close', () => closed++);
    stream([started], 'stay')(response, asked);
  });
  for await (const _ of new Scriptd({ url }).events(taskId)) break;
  while (closed < 1) await new Promise((resolve) => setImmediate(resolve));
  const abort = new AbortController();
  const reading = all(new Scriptd({ url }).events(taskId, { signal: abort.signal }));
  while (requests.length < 2) await new Promise((resolve) => setImmediate(resolve));
  abort.abort(new Error('enough'));
  await t.rejects(reading, { message: 'enough' });
  while (closed < 2) await new Promise((resolve) => setImmediate(resolve));
  t.equal(closed, 2);
});

t.test(
  'an answer that is JSON, and no stream, ends without an end: it is asked again',
  async (t) => {
    const { url, asked } = await scripted(t, json(200, {}), stream([ended], 'stay'));
    t.match(await all(new Scriptd({ url }).events(taskId)), [{ event: 'end' }]);
    t.equal(asked.length, 2);
  },
);
