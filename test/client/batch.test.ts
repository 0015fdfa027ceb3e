import t from 'tap';
import {
  type BatchLine,
  type BatchTask,
  Scriptd,
  type ScriptdError,
} from '../../src/client/index.js';
import { type Act, hangUp, problem, scripted, stream, task } from './scripted.js';

const ndjson = 'application/x-ndjson';
const lines = (...values: object[]) => values.map((value) => `${JSON.stringify(value)}\n`);
const answers = (ending: 'end' | 'break', ...values: object[]): Act =>
  stream(lines(...values), ending, ndjson);
const stored = (line: number, id: string) => ({ line, status: 201, task: task({ id }) });
const done = (line: number, id: string) => ({
  ...{ line, status: 200, task: task({ id, state: 'finished', outcome: 'success' }) },
});
const bodyLines = (body: string) =>
  body.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as BatchTask]));

async function all(answered: AsyncIterable<BatchLine>): Promise<BatchLine[]> {
  const found: BatchLine[] = [];
  for await (const one of answered) found.push(one);
  return found;
}

t.test('each task has its line, in order; one that is bad stops no other', async (t) => {
  const refused = {
    line: 2,
    status: 400,
    error: { status: 400, code: 'MISSING_CODE', detail: 'x' },
  };
  const act = answers('end', stored(1, 'a'), refused, stored(3, 'c'));
  const { url, asked } = await scripted(t, act);
  const tasks = [{ code: '1' }, { code: '2' }, { code: '3', idempotencyKey: 'mine' }];
  t.match(await all(new Scriptd({ url }).batch(tasks)), [
    { line: 1, status: 201, task: { id: 'a' } },
    { line: 2, status: 400, error: { code: 'MISSING_CODE' } },
    { line: 3, status: 201, task: { id: 'c' } },
  ]);
  t.equal(asked.length, 1);
  t.match(asked[0], { path: '/v1/tasks/batch', headers: { 'content-type': ndjson } });
  const keys = bodyLines(asked[0]?.body ?? '').map(({ idempotencyKey }) => idempotencyKey);
  t.equal(new Set(keys).size, 3);
  t.equal(keys[2], 'mine');
});

t.test('what was not answered is sent again with its key, and nothing else', async (t) => {
  const busy = { line: 2, status: 429, error: { code: 'OVERLOADED', detail: 'x' } };
  const { url, asked } = await scripted(
    t,
    answers('break', stored(1, 'a'), busy),
    hangUp,
    answers('end', stored(1, 'b'), stored(2, 'c')),
  );
  const told = await all(new Scriptd({ url }).batch(['1', '2', '3'].map((code) => ({ code }))));
  t.match(told, [{ line: 1 }, { line: 2, task: { id: 'b' } }, { line: 3, task: { id: 'c' } }]);
  const sent = asked.map(({ body }) => bodyLines(body));
  t.same(sent[1], sent[0]?.slice(1));
  t.same(sent[2], sent[1]);
});

t.test('a task that is refused time and again is told of, in bounded time', async (t) => {
  const busy = { line: 1, status: 503, error: { code: 'DRAINING', detail: 'no' } };
  let answered = 0;
  const { url } = await scripted(t, (response, asked) => {
    answered++;
    answers('end', busy)(response, asked);
  });
  t.match(await all(new Scriptd({ url, retries: 2 }).batch([{ code: '1' }])), [
    { line: 1, status: 503, error: { code: 'DRAINING' } },
  ]);
  t.equal(answered, 3);
});

t.test('a line that is told when to come again comes no sooner', async (t) => {
  const error = { code: 'OVERLOADED', detail: 'x', retryAfterSeconds: 1 };
  const busy = { line: 1, status: 429, error };
  const { url } = await scripted(t, answers('end', busy), answers('end', stored(1, 'a')));
  const told: [string, number][] = [];
  const onRetry = (error: ScriptdError, waitMs: number) => void told.push([error.code, waitMs]);
  const begunMs = performance.now();
  t.match(await all(new Scriptd({ url, onRetry }).batch([{ code: '1' }])), [{ line: 1 }]);
  t.ok(performance.now() - begunMs >= 990, 'Retry-After is kept');
  t.match(told, [['OVERLOADED', Number]]);
  t.equal(told.length, 1);
});

t.test('results are told as they come, each once, over several requests', async (t) => {
  const late = { line: 2, status: 202, task: task({ id: 'b', state: 'running' }) };
  const { url, asked } = await scripted(
    t,
    answers('end', stored(1, 'a'), stored(2, 'b'), done(1, 'a'), late),
    answers('end', { line: 1, status: 200, task: task({ id: 'b' }) }, done(1, 'b')),
  );
  const told = await all(
    new Scriptd({ url }).batch([{ code: '1' }, { code: '2' }], { waitSeconds: 1_000 }),
  );
  t.same(
    told.map(({ line, status }) => [line, status]),
    [
      [1, 201],
      [2, 201],
      [1, 200],
      [2, 200],
    ],
  );
  t.equal(asked[0]?.path, '/v1/tasks/batch?wait=240');
  t.equal(bodyLines(asked[1]?.body ?? '').length, 1);
});

t.test('a long source is sent in several requests, numbered through', async (t) => {
  const { url, asked } = await scripted(t, (response, { body }) => {
    const values = bodyLines(body).map(({ code }, index) => stored(index + 1, code));
    response.writeHead(200, { 'content-type': ndjson }).end(lines(...values).join(''));
  });
  async function* source() {
    for (let number = 1; number <= 600; number++) yield { code: `${number}` };
  }
  let expected = 0;
  for await (const told of new Scriptd({ url }).batch(source())) {
    expected++;
    t.match(told, { line: expected, task: { id: `${expected}` } });
  }
  t.equal(expected, 600);
  t.ok(asked.length >= 3);
});

t.test('a source is read no further than its reader, and told when that leaves', async (t) => {
  const { url } = await scripted(t, (response, { body }) => {
    const values = bodyLines(body).map((_, index) => stored(index + 1, 'x'));
    response.writeHead(200, { 'content-type': ndjson }).end(lines(...values).join(''));
  });
  let read = 0;
  let isClosed = false;
  async function* endless() {
    try {
      for (;;) {
        read++;
        yield { code: 'x' };
      }
    } finally {
      isClosed = true;
    }
  }
  for await (const { line } of new Scriptd({ url }).batch(endless())) if (line === 3) break;
  while (!isClosed) await new Promise((resolve) => setImmediate(resolve));
  t.ok(read <= 600, `${read} were read`);
});

t.test('a slow source holds nothing up', async (t) => {
  const { url } = await scripted(t, (response, { body }) => {
    const values = bodyLines(body).map(({ code }, index) => stored(index + 1, code));
    response.writeHead(200, { 'content-type': ndjson }).end(lines(...values).join(''));
  });
  let release: (() => void) | undefined;
  const second = new Promise<void>((resolve) => {
    release = resolve;
  });
  async function* source() {
    yield { code: 'first' };
    await second;
    yield { code: 'second' };
  }
  const told = new Scriptd({ url }).batch(source());
  t.match((await told.next()).value, { line: 1, task: { id: 'first' } });
  release?.();
  t.match((await told.next()).value, { line: 2, task: { id: 'second' } });
  t.equal((await told.next()).done, true);
});

t.test('a refusal of the whole, and a signal, end it', async (t) => {
  const { url, asked } = await scripted(t, problem(401, 'UNAUTHORIZED'));
  await t.rejects(all(new Scriptd({ url }).batch([{ code: '1' }])), { code: 'UNAUTHORIZED' });
  t.equal(asked.length, 1);
  const waiting = await scripted(t, stream([], 'stay', ndjson));
  const abort = new AbortController();
  const told = all(
    new Scriptd({ url: waiting.url }).batch([{ code: '1' }], {
      waitSeconds: 60,
      signal: abort.signal,
    }),
  );
  while (waiting.asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
  abort.abort(new Error('enough'));
  await t.rejects(told, { message: 'enough' });
});
