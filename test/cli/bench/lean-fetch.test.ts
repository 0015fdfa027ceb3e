import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { leanFetch } from '../../../src/cli/bench/lean-fetch.js';
import { Scriptd, type ScriptdError } from '../../../src/client/index.js';
import {
  type Act,
  closedUrl,
  hangUp,
  json,
  problem,
  scripted,
  silence,
  stream,
  task,
  taskId,
} from '../../client/scripted.js';

const clientOf = (url: string, more = {}) => new Scriptd({ url, fetch: leanFetch(), ...more });

t.test('a submission goes out as it is, and what comes is read', async (t) => {
  const { url, asked } = await scripted(t, json(201, task()));
  const stored = await clientOf(url, { token: 'secret' }).submit({ code: 'é' });
  t.equal(stored.id, taskId);
  t.match(asked, [
    { method: 'POST', path: '/v1/tasks', headers: { authorization: 'Bearer secret' } },
  ]);
  t.same(JSON.parse(asked[0]?.body ?? ''), { code: 'é' });
});

t.test('its connections are kept', async (t) => {
  let connections = 0;
  const server = createServer((_, response) => json(200, task())(response, {} as never));
  server.on('connection', () => connections++);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  const client = clientOf(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  for (let at = 0; at < 5; at++) await client.get(taskId);
  t.equal(connections, 1);
});

t.test('what the network did is told as the global fetch tells it', async (t) => {
  const cut: Act = (response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('{"id":', () => response.destroy());
  };
  const told: string[] = [];
  const onRetry = ({ code }: ScriptdError) => void told.push(code);
  const { url, asked } = await scripted(t, hangUp, cut, json(200, task()));
  t.equal((await clientOf(url, { onRetry }).get(taskId)).id, taskId);
  t.equal(asked.length, 3);
  t.same(told, ['SERVICE_UNREACHABLE', 'SERVICE_UNREACHABLE']);
  const nobody = clientOf(await closedUrl(), { retries: 0 });
  await t.rejects(nobody.get(taskId), { code: 'SERVICE_UNREACHABLE', message: /ECONNREFUSED/ });
});

t.test('refusals, redirects and Retry-After', async (t) => {
  const later = problem(503, 'OVERLOADED', {}, { 'retry-after': '61' });
  const { url } = await scripted(t, later, (response) => {
    response.writeHead(302, { location: '/elsewhere' });
    response.end();
  });
  const client = clientOf(url);
  await t.rejects(client.get(taskId), { code: 'OVERLOADED', status: 503, retryAfterMs: 61_000 });
  await t.rejects(client.get(taskId), { code: 'BAD_ANSWER', status: 302 });
});

t.test('a signal, and a service that says nothing, end it', async (t) => {
  const { url } = await scripted(t, silence);
  const late = clientOf(url).get(taskId, { signal: AbortSignal.timeout(50) });
  await t.rejects(late, { name: 'TimeoutError' });
  const silent = clientOf(url, { timeoutMs: 50, retries: 0 }).get(taskId);
  await t.rejects(silent, { code: 'SERVICE_SILENT' });
});

t.test('an answer that comes line by line is read while it comes', async (t) => {
  const line = (value: object) => `${JSON.stringify(value)}\n`;
  const stored = { line: 1, status: 201, task: task({ id: 'a' }) };
  const done = { line: 1, status: 200, task: task({ state: 'finished', outcome: 'success' }) };
  const { url } = await scripted(
    t,
    stream([line(stored), line(done)], 'end', 'application/x-ndjson'),
  );
  const statuses: number[] = [];
  for await (const { status } of clientOf(url).batch([{ code: '' }], { waitSeconds: 5 }))
    statuses.push(status);
  t.same(statuses, [201, 200]);
});
