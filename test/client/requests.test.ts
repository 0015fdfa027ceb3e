import t from 'tap';
import { Scriptd, ScriptdError, ServiceError } from '../../src/client/index.js';
import { closedUrl, hangUp, json, problem, scripted, silence, task, taskId } from './scripted.js';

t.test('a submission whose answer is lost is sent again with the same key', async (t) => {
  const { url, asked } = await scripted(t, hangUp, json(200, task()));
  const stored = await new Scriptd({ url }).submit({ code: 'echo 1' });
  t.equal(stored.id, taskId);
  t.equal(asked.length, 2);
  const [first, second] = asked.map(({ headers }) => headers['idempotency-key']);
  t.match(first, /^[0-9a-f]{32}$/);
  t.equal(second, first);
  t.same(JSON.parse(asked[1]?.body ?? ''), { code: 'echo 1' });
});

t.test('every submission has a key of its own, or the one that it is given', async (t) => {
  const { url, asked } = await scripted(t, json(201, task()));
  const client = new Scriptd({ url });
  await client.submit({ code: '1' });
  await client.submit({ code: '1' });
  await client.submit({ code: '1' }, { idempotencyKey: 'mine' });
  const keys = asked.map(({ headers }) => headers['idempotency-key']);
  t.equal(new Set(keys).size, 3);
  t.equal(keys[2], 'mine');
});

t.test('it comes again when the service says that it is a bad time, and no sooner', async (t) => {
  const busy = problem(429, 'OVERLOADED', {}, { 'retry-after': '1' });
  const away = problem(503, 'CONTROLLER_LOST');
  const { url, asked } = await scripted(t, busy, away, json(201, task()));
  const begunMs = performance.now();
  await new Scriptd({ url }).submit({ code: '' });
  t.equal(asked.length, 3);
  t.ok(performance.now() - begunMs >= 990, 'Retry-After is kept');
});

t.test('who wants to know is told of each that is sent again, and of the wait', async (t) => {
  const busy = problem(429, 'OVERLOADED', {}, { 'retry-after': '1' });
  const { url } = await scripted(t, busy, hangUp, json(201, task()));
  const told: [string, number][] = [];
  const onRetry = (error: ScriptdError, waitMs: number) => void told.push([error.code, waitMs]);
  await new Scriptd({ url, onRetry }).submit({ code: '' });
  t.same(
    told.map(([code]) => code),
    ['OVERLOADED', 'SERVICE_UNREACHABLE'],
  );
  t.ok((told[0]?.[1] ?? 0) >= 1_000 && (told[1]?.[1] ?? 0) < 1_000);
});

t.test('how often it comes again is bounded', async (t) => {
  const { url, asked } = await scripted(t, problem(503, 'DRAINING'));
  const client = new Scriptd({ url, retries: 2 });
  await t.rejects(client.get(taskId), { code: 'DRAINING', status: 503 });
  t.equal(asked.length, 3);
  await t.rejects(new Scriptd({ url, retries: 0 }).get(taskId), { code: 'DRAINING' });
  t.equal(asked.length, 4);
});

t.test('who is to wait for longer than a minute is told instead', async (t) => {
  const { url, asked } = await scripted(t, problem(503, 'OVERLOADED', {}, { 'retry-after': '61' }));
  await t.rejects(new Scriptd({ url }).get(taskId), { code: 'OVERLOADED', retryAfterMs: 61_000 });
  t.equal(asked.length, 1);
});

t.test('a refusal is an error with code, status and field, and is not repeated', async (t) => {
  const { url, asked } = await scripted(t, problem(400, 'INVALID_FIELD', { field: 'stdn' }));
  const error = await new Scriptd({ url }).submit({ code: '' }).catch((thrown) => thrown);
  t.ok(error instanceof ServiceError);
  t.ok(error instanceof ScriptdError);
  t.match(error, { code: 'INVALID_FIELD', status: 400, message: 'that is INVALID_FIELD' });
  t.equal(error.problem.field, 'stdn');
  t.equal(asked.length, 1);
});

t.test('to send again what may have been sent again would run it twice', async (t) => {
  for (const lost of [hangUp, problem(503, 'CONTROLLER_LOST')]) {
    const { url, asked } = await scripted(t, lost, json(200, task()));
    await t.rejects(new Scriptd({ url }).retry(taskId));
    t.equal(asked.length, 1);
  }
  const { url, asked } = await scripted(t, problem(429, 'OVERLOADED'), json(200, task()));
  await new Scriptd({ url }).retry(taskId);
  t.equal(asked.length, 2, 'where it was not done for certain, it is');
});

t.test('an answer that is none of scriptd is told as such', async (t) => {
  const { url } = await scripted(t, (response) => response.end('<html>hello'));
  await t.rejects(new Scriptd({ url }).get(taskId), { code: 'BAD_ANSWER', message: /<html>hello/ });
  const gateway = await scripted(t, (response) => {
    response.writeHead(404);
    response.end('no such page');
  });
  const asking = new Scriptd({ url: gateway.url }).get(taskId);
  await t.rejects(asking, { code: 'BAD_ANSWER', status: 404, message: /404.*no such page/ });
});

t.test('a service that is silent, and one that is not there', async (t) => {
  const { url, asked } = await scripted(t, silence);
  const options = { url, timeoutMs: 1_000, retries: 1 };
  await t.rejects(new Scriptd(options).get(taskId), { code: 'SERVICE_SILENT' });
  t.equal(asked.length, 2);
  const nowhere = new Scriptd({ url: await closedUrl(), retries: 0 });
  await t.rejects(nowhere.get(taskId), { code: 'SERVICE_UNREACHABLE', message: /ECONNREFUSED/ });
});

t.test('a signal ends a call, also while it waits to come again', async (t) => {
  const { url, asked } = await scripted(t, silence);
  const abort = new AbortController();
  const asking = new Scriptd({ url }).get(taskId, { signal: abort.signal });
  while (asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
  abort.abort(new Error('enough'));
  await t.rejects(asking, { message: 'enough' });
  await t.rejects(new Scriptd({ url }).get(taskId, { signal: abort.signal }), {
    message: 'enough',
  });
  t.equal(asked.length, 1);

  const busy = await scripted(t, problem(503, 'DRAINING', {}, { 'retry-after': '60' }));
  const waiting = new AbortController();
  const call = new Scriptd({ url: busy.url }).get(taskId, { signal: waiting.signal });
  while (busy.asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
  waiting.abort(new Error('enough'));
  await t.rejects(call, { message: 'enough' });
});

t.test('run waits for as long as it takes, and submits once', async (t) => {
  const pending = json(202, task());
  const done = json(200, task({ state: 'finished', outcome: 'success', stdout: '1\n' }));
  const { url, asked } = await scripted(t, pending, json(200, task({ state: 'running' })), done);
  t.match(await new Scriptd({ url }).run({ code: '1' }), { outcome: 'success', stdout: '1\n' });
  t.same(
    asked.map(({ method, path }) => `${method} ${path}`),
    [
      'POST /v1/tasks?wait=50',
      `GET /v1/tasks/${taskId}?wait=50`,
      `GET /v1/tasks/${taskId}?wait=50`,
    ],
  );
});

t.test('the token is shown, and a path before the API is kept', async (t) => {
  const { url, asked } = await scripted(t, json(200, { queues: [] }));
  t.same(await new Scriptd({ url: `${url}/scripts/`, token: 'a-secret' }).queues(), []);
  t.match(asked[0], { path: '/scripts/v1/queues', headers: { authorization: 'Bearer a-secret' } });
});

t.test('an id or a type cannot lead to another path', async (t) => {
  const { url, asked } = await scripted(t, problem(404, 'UNKNOWN_TASK'));
  await t.rejects(new Scriptd({ url }).cancel('../queues/x?y'));
  await t.rejects(new Scriptd({ url }).pause('a/b'));
  t.same(
    asked.map(({ path }) => path),
    ['/v1/tasks/..%2Fqueues%2Fx%3Fy/cancel', '/v1/queues/a%2Fb/pause'],
  );
});

t.test('a list goes from page to page, as far as it is read', async (t) => {
  const first = json(200, { tasks: [task({ id: 'a' }), task({ id: 'b' })], next: '7' });
  const { url, asked } = await scripted(t, first, json(200, { tasks: [task({ id: 'c' })] }));
  const ids: string[] = [];
  for await (const { id } of new Scriptd({ url }).list({ tag: 'x y', deadLetter: true }))
    ids.push(id);
  t.same(ids, ['a', 'b', 'c']);
  t.equal(asked[1]?.path, '/v1/tasks?limit=100&tag=x+y&deadLetter=true&cursor=7');
  const again = await scripted(t, first);
  for await (const { id } of new Scriptd({ url: again.url }).list()) if (id === 'a') break;
  t.equal(again.asked.length, 1);
});

t.test('a text is searched for, and what was submitted is shown', async (t) => {
  const spec = { code: 'print(1)', type: 'python', args: [] };
  const { url, asked } = await scripted(
    t,
    json(200, { tasks: [] }),
    (response) => response.end('print(1)'),
    json(200, spec),
  );
  const client = new Scriptd({ url });
  for await (const found of client.list({ text: 'a b' })) t.fail(found.id);
  t.equal(await client.script(taskId), 'print(1)');
  t.same(await client.spec(taskId), spec);
  t.same(
    asked.map(({ path }) => path),
    ['/v1/tasks?limit=100&text=a+b', `/v1/tasks/${taskId}/script`, `/v1/tasks/${taskId}/spec`],
  );
});

t.test('tokens are listed, made and revoked; to make one twice is not tried', async (t) => {
  const made = { id: 'abc', name: 'ci', scopes: ['read'], token: 'scriptd_x' };
  const { url, asked } = await scripted(
    t,
    json(200, { tokens: [], plain: 0, writable: true }),
    json(201, made),
    (response) => response.writeHead(204).end(),
    hangUp,
  );
  const client = new Scriptd({ url });
  t.same(await client.tokens(), { tokens: [], plain: 0, writable: true });
  t.same(await client.createToken({ name: 'ci', scopes: ['read'] }), made);
  t.equal(await client.revokeToken('a/b'), undefined);
  await t.rejects(client.createToken({ name: 'ci', scopes: ['read'] }), {
    code: 'SERVICE_UNREACHABLE',
  });
  t.same(
    asked.map(({ method, path }) => `${method} ${path}`),
    ['GET /v1/tokens', 'POST /v1/tokens', 'DELETE /v1/tokens/a%2Fb', 'POST /v1/tokens'],
  );
  t.notOk('idempotency-key' in (asked[1]?.headers ?? {}));
});

t.test('what cannot be an address or a number is refused at once', async (t) => {
  for (const url of ['127.0.0.1:5000', 'ftp://x', 'http://user:pw@x', 'http://x/?a', '']) {
    t.throws(() => new Scriptd({ url }), { code: 'BAD_URL' }, url);
  }
  t.throws(() => new Scriptd({ retries: -1 }), { code: 'BAD_OPTION', message: /retries/ });
  t.throws(() => new Scriptd({ timeoutMs: 0 }), { code: 'BAD_OPTION', message: /timeoutMs/ });
});
