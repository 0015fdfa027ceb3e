import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { limits } from '../../src/limits.js';
import { Contract, type OpenApi } from '../http/contract.js';
import { EventReader } from '../http/event-reader.js';
import { temporaryFolder } from '../store/fixtures.js';
import { type Answer, Service, until } from './service.js';

const json = { 'content-type': 'application/json' };

const allowed = ['--webhook-allow', '127.0.0.1'];

t.test('every answer of a walk through the API is one that the document foresees', async (t) => {
  const service = await Service.start(t, ['--workers', 'python=1,bash=1', ...allowed]);
  const document = (await service.request('GET', '/openapi.json')).json;
  const contract = new Contract(document as unknown as OpenApi);

  async function ask(
    method: string,
    path: string,
    body?: object | string,
    headers: Record<string, string> = typeof body === 'object' ? json : {},
  ): Promise<Answer> {
    const text = typeof body === 'object' ? JSON.stringify(body) : body;
    const answer = await service.request(method, path, text, headers);
    contract.check(t, method, path, answer);
    return answer;
  }
  const submit = async (task: object, query = '') => {
    const answer = await ask('POST', `/v1/tasks${query}`, task);
    return `/v1/tasks/${answer.json.id}`;
  };
  /** A fault of each kind, with its status. */
  async function refused(status: number, ...[method, path, ...rest]: Parameters<typeof ask>) {
    t.equal((await ask(method, path, ...rest)).status, status, `${method} ${path.slice(0, 80)}`);
  }

  await t.test('the service', async (t) => {
    for (const path of ['/', '/healthz', '/readyz', '/openapi.json']) await ask('GET', path);
    for (const path of ['/v1/workers', '/v1/queues', '/v1/tasks?limit=1']) await ask('GET', path);
    await ask('GET', '/v1/overview');
    // It does not end by itself.
    const reader = await EventReader.open(service.address, '/v1/overview/events');
    const { status, headers } = reader;
    const body = Buffer.from(JSON.stringify(await reader.next()));
    contract.check(t, 'GET', '/v1/overview/events', { status, headers, body });
    reader.destroy();
    await ask('POST', '/v1/workers/bash-1/drain');
    await refused(404, 'POST', '/v1/workers/none/drain');
  });

  await t.test('tasks, and all that they may have', async (t) => {
    const whole = await submit(
      {
        code: 'cat; printf "\\377" > out.bin; ln -s /etc/passwd x.log; echo oops >&2',
        type: 'bash',
        args: ['a'],
        env: { A: 'b' },
        stdin: { base64: '/w==' },
        files: { 'in/a.txt': 'text' },
        collect: ['in/**', '*.bin', '*.log'],
        limits: { wallMs: 20_000, outputBytes: 1_000 },
        retry: { maxAttempts: 2, on: ['runtime_error'] },
        delayMs: 1,
        expiresAfterMs: 600_000,
        group: 'walk',
        tags: ['walk'],
        priority: 3,
      },
      '?wait=60',
    );
    await ask('GET', whole);
    await ask('GET', `${whole}/explain`);
    const events = await ask('GET', `${whole}/events`);
    const ends = [...events.body.toString().matchAll(/^id: (.*)$/gm)].map(([, id = '']) => id);
    await ask('GET', `${whole}/events?lastEventId=${ends.at(-1)}`);
    await refused(400, 'GET', `${whole}/events?lastEventId=none`);
    const stdout = await ask('GET', `${whole}/stdout`);
    t.match(stdout.headers['content-type'], /octet-stream/, 'bytes that are not UTF-8');
    await ask('GET', `${whole}/stderr`);
    for (const stream of ['stdout', 'stderr']) {
      await ask('GET', `${whole}/${stream}`, undefined, { range: 'bytes=0-0' });
    }
    await refused(416, 'GET', `${whole}/stderr`, undefined, { range: 'bytes=100000-' });
    await ask('GET', `${whole}/script`);
    await ask('GET', `${whole}/spec`);
    await refused(409, 'POST', `${whole}/cancel`);
    await ask('POST', `${whole}/retry`);
    await submit({ code: 'def f(x):\n  1/x\nf(0)', type: 'python', inspect: true }, '?wait=60');
    await submit({ code: 'echo no', type: 'bash', check: { exact: 'yes' } }, '?wait=60');
    await submit({ code: 'kill -9 $$', type: 'bash' }, '?wait=60');
    await submit({ code: 'yes', type: 'bash', limits: { outputBytes: 10 } }, '?wait=60');
    for (const query of [
      '',
      '?tag=walk',
      '?state=finished&type=bash',
      '?outcome=success&limit=1',
      '?text=OUT.bin',
    ]) {
      const page = await ask('GET', `/v1/tasks${query}`);
      if (page.json.next) await ask('GET', `/v1/tasks?cursor=${page.json.next}`);
    }
  });

  await t.test('a list that is followed', async (t) => {
    const path = '/v1/tasks/events';
    const reader = await EventReader.open(service.address, path);
    const event = await reader.next();
    reader.destroy();
    t.match(event, { name: 'tasks', data: { order: [String] } });
    const { status, headers } = reader;
    contract.check(t, 'GET', path, { status, headers, body: Buffer.from('retry: 1000') });
    await refused(400, 'GET', `${path}?cursor=x`);
  });

  await t.test('tokens and sessions', async (t) => {
    await ask('GET', '/v1/session');
    await refused(404, 'GET', '/v1/tokens');
    const secret = 'a-token-in-plain-text-0123456789';
    const tokenFile = join(temporaryFolder(t), 'tokens');
    writeFileSync(tokenFile, `${secret}\n`, { mode: 0o600 });
    const guarded = await Service.start(t, ['--workers', 'bash=1', '--token-file', tokenFile]);
    const authorization = `Bearer ${secret}`;
    const askThere = async (status: number, method: string, path: string, body?: object) => {
      const headers = { authorization, ...(body && json) };
      const answer = await guarded.request(method, path, body && JSON.stringify(body), headers);
      t.equal(answer.status, status, `${method} ${path}`);
      contract.check(t, method, path, answer);
      return answer.json;
    };
    await askThere(200, 'POST', '/v1/session', { remember: true });
    await askThere(400, 'POST', '/v1/session', { remember: 'yes' });
    await askThere(200, 'GET', '/v1/session');
    t.equal((await guarded.request('DELETE', '/v1/session')).status, 204);
    await ask('DELETE', '/v1/session');
    const asked = { name: 'ci', scopes: ['read'], rate: { perSecond: 1, burst: 2 } };
    const { id } = await askThere(201, 'POST', '/v1/tokens', asked);
    await askThere(409, 'POST', '/v1/tokens', asked);
    await askThere(400, 'POST', '/v1/tokens', { ...asked, scope: 'read' });
    await askThere(200, 'GET', '/v1/tokens');
    const gone = await guarded.request('DELETE', `/v1/tokens/${id}`, undefined, { authorization });
    t.equal(gone.status, 204);
    contract.check(t, 'DELETE', `/v1/tokens/${id}`, gone);
    await askThere(404, 'DELETE', `/v1/tokens/${id}`);
    await askThere(409, 'DELETE', '/v1/tokens/plain-1');
  });

  await t.test('tasks that wait, run, and are cancelled', async () => {
    await ask('POST', '/v1/queues/bash/pause');
    const held = await submit({ code: 'echo held', type: 'bash' });
    await ask('GET', `${held}/explain`);
    await refused(409, 'GET', `${held}/stdout`);
    await refused(409, 'POST', `${held}/retry`);
    await ask('POST', '/v1/queues/bash/resume');
    const sleeping = await submit({ code: 'sleep 600', type: 'bash' }, '?wait=1');
    await ask('GET', `${sleeping}/explain`);
    await ask('POST', `${sleeping}/cancel`);
    await ask('POST', `${sleeping}/cancel`);
    const later = await submit({ code: 'echo later', type: 'bash', delayMs: 3_600_000 });
    await ask('GET', `${later}/explain`);
    await ask('POST', `${later}/cancel`);
    const again = { ...json, 'idempotency-key': 'walk' };
    for (const body of [{ code: 'echo 1', type: 'bash' }, { code: 'echo 2' }]) {
      await ask('POST', '/v1/tasks', body, again);
    }
    const prefer = { ...json, prefer: 'wait=60' };
    await ask('POST', '/v1/tasks', { code: 'echo 3', type: 'bash' }, prefer);
  });

  await t.test('batches', async (t) => {
    const ndjson = { 'content-type': 'application/x-ndjson' };
    const lines = [
      '{"code": "echo 1", "type": "bash", "idempotencyKey": "line"}',
      '{"cod": 1}',
      '{',
    ];
    const text = lines.map((line) => `${line}\n`).join('');
    const answer = await ask('POST', '/v1/tasks/batch?wait=60', text, ndjson);
    t.equal(answer.body.toString().trim().split('\n').length, 4);
    await ask('POST', '/v1/tasks/batch', text, ndjson);
    await refused(415, 'POST', '/v1/tasks/batch', text, json);
    await refused(400, 'POST', '/v1/tasks/batch?wait=-1', text, ndjson);
  });

  await t.test('execute', async () => {
    await ask('GET', '/execute?code=print(1)');
    await ask('POST', '/execute', 'print(1)');
    await refused(422, 'POST', '/execute', '1/0');
    await refused(422, 'POST', '/execute?type=bash', 'exit 3');
    await refused(422, 'POST', '/execute?type=none', 'exit 3');
    const held = refused(409, 'POST', '/execute?type=bash', 'sleep 600');
    const running = async () =>
      (await service.request('GET', '/v1/tasks?state=running&type=bash')).json.tasks as [];
    await until('it runs', async () => (await running()).length > 0);
    for (const { id } of await running()) await ask('POST', `/v1/tasks/${id}/cancel`);
    await held;
  });

  await t.test('webhooks', async (t) => {
    const receiver = createServer((_request, response) => response.writeHead(204).end());
    t.teardown(() => receiver.close());
    receiver.listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/done`;
    const task = { code: 'echo', type: 'bash', webhook: { url } };
    const waiting = await submit({ ...task, delayMs: 3_600_000 });
    await ask('GET', `${waiting}/webhooks`);
    await refused(409, 'POST', `${waiting}/webhooks/redeliver`);
    await ask('POST', `${waiting}/cancel`);
    const told = await submit(task, '?wait=60');
    await until('it is told', async () => {
      return (await ask('GET', `${told}/webhooks`)).json.state === 'delivered';
    });
    await ask('POST', `${told}/webhooks/redeliver`);
    const without = await submit({ code: 'echo', type: 'bash' });
    await refused(404, 'GET', `${without}/webhooks`);
    const inside = { url: 'http://10.0.0.1/' };
    await refused(422, 'POST', '/v1/tasks', { ...task, webhook: inside });
  });

  await t.test('schedules', async () => {
    const body = { cron: '0 3 1 1 *', task: { code: 'echo', type: 'bash', stdin: 'x' } };
    await refused(201, 'POST', '/v1/schedules', { id: 'walk', ...body });
    await refused(409, 'POST', '/v1/schedules', { id: 'walk', ...body });
    await refused(200, 'PUT', '/v1/schedules/walk', { ...body, enabled: false });
    await refused(201, 'PUT', '/v1/schedules/other', { ...body, timeZone: 'Europe/Vienna' });
    await ask('GET', '/v1/schedules');
    await ask('GET', '/v1/schedules/walk');
    await ask('GET', '/v1/schedules/other');
    await ask('POST', '/v1/schedules/walk/run');
    for (const order of ['enable', 'disable']) {
      await refused(200, 'POST', `/v1/schedules/walk/${order}`);
      await refused(404, 'POST', `/v1/schedules/none/${order}`);
      await refused(400, 'POST', `/v1/schedules/.x/${order}`);
    }
    await refused(204, 'DELETE', '/v1/schedules/walk');
    await refused(404, 'DELETE', '/v1/schedules/walk');
    await refused(404, 'GET', '/v1/schedules/walk');
    await refused(400, 'PUT', '/v1/schedules/walk', { ...body, cron: '61 * * * *' });
  });

  await t.test('what is refused', async () => {
    const unknown = '/v1/tasks/01890a5d-ac96-774b-bcce-b302099a8057';
    for (const path of ['', '/stdout', '/stderr', '/explain', '/script', '/spec']) {
      await refused(404, 'GET', `${unknown}${path}`);
      await refused(400, 'GET', `/v1/tasks/NONE${path}`);
    }
    for (const order of ['cancel', 'retry']) await refused(404, 'POST', `${unknown}/${order}`);
    for (const order of ['pause', 'resume']) await refused(404, 'POST', `/v1/queues/no/${order}`);
    for (const path of [
      ...['/v1/tasks', '/v1/workers', '/v1/queues', '/v1/schedules', '/execute'],
      ...['/v1/overview', '/v1/overview/events'],
    ]) {
      await refused(400, 'GET', `${path}?none=1`);
      await refused(403, 'GET', path, undefined, { 'sec-fetch-site': 'cross-site' });
      await refused(403, 'GET', path, undefined, { host: 'evil.example' });
    }
    for (const query of ['limit=0', 'state=gone', 'cursor=%00', 'state=running&state=running']) {
      await refused(400, 'GET', `/v1/tasks?${query}`);
    }
    await refused(400, 'GET', '/v1/tasks?tag=%ff');
    await refused(400, 'GET', '/v1/tasks/%ff');
    await refused(414, 'GET', `/v1/tasks/${'x'.repeat(1_153)}`);
    await refused(400, 'GET', '/execute');
    await refused(400, 'POST', '/v1/tasks', '{', json);
    await refused(415, 'POST', '/v1/tasks', '{}');
    for (const body of [{}, { code: 'x', limit: {} }, { code: 'x', runAt: 'now' }]) {
      await refused(400, 'POST', '/v1/tasks', body);
    }
    for (const body of [{ code: '?' }, { code: '', type: 'no' }]) {
      await refused(422, 'POST', '/v1/tasks', body);
    }
    const long = 'x'.repeat(limits.codeBytesMax + 1);
    await refused(413, 'POST', '/v1/tasks', { code: long, type: 'bash' });
    await refused(413, 'POST', '/execute', long);
  });

  const successes = contract.operations().flatMap(({ operation: { operationId, responses } }) =>
    Object.keys(responses)
      .filter((status) => status.startsWith('2'))
      .map((status) => `${operationId} ${status}`),
  );
  t.same(
    successes.filter((name) => !contract.seen.has(name)),
    [],
    'every success of every operation has been seen',
  );
});
