import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { errorCode } from '../../src/errors.js';
import { Receiver, signature } from '../webhooks/receiver.js';
import { Service, until } from './service.js';

const args = ['--workers', 'bash=1', '--webhook-allow', '127.0.0.1'];
const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

t.test('the receiver is told of the end, signed by the secret of the task', async (t) => {
  const receiver = await Receiver.start(t);
  const service = await Service.start(t, args);
  const webhook = { url: `${receiver.origin}/done?x=1`, secret };
  const task = { code: 'echo hello', type: 'bash', webhook };
  const { json } = await service.submit(task, '?wait=60');
  t.equal(json.outcome, 'success');
  t.same(json.webhook, { origin: receiver.origin }, 'neither path nor secret are shown');
  const path = `/v1/tasks/${json.id}/webhooks`;
  const report = async () => (await service.request('GET', path)).json;
  await until('it is delivered', async () => (await report()).state === 'delivered');
  const [told, ...more] = receiver.received;
  t.same(more, []);
  if (!told) throw new Error('nobody was told');
  t.equal(told.path, '/done?x=1');
  t.equal(
    told.headers['webhook-signature'],
    signature(told.headers, told.body, Buffer.alloc(32, 7)),
  );
  const body = JSON.parse(told.body) as Record<string, unknown>;
  const { timestamp, data } = body;
  t.match(body, { type: 'task.finished', timestamp: json.finishedAt });
  t.equal(timestamp, json.finishedAt);
  t.match(data, { id: json.id, outcome: 'success', stdout: 'hello\n' });
  t.match(data, { links: { stdout: `/v1/tasks/${json.id}/stdout` } });
  const delivered = await report();
  t.match(delivered, { tries: 1, origin: receiver.origin, attempts: [{ status: 200 }] });
  t.equal(delivered.webhookId, told.headers['webhook-id']);

  const again = await service.request('POST', `${path}/redeliver`);
  t.equal(again.status, 202);
  await until('it is told again', () => receiver.received.length === 2);
  t.equal(receiver.received[1]?.headers['webhook-id'], told.headers['webhook-id']);
  t.notMatch(service.log, /whsec_/);
});

/** The next one answers what is asked from now on. */
async function endController(service: Service): Promise<void> {
  const controller = service.partPid('controller');
  process.kill(controller, 'SIGKILL');
  await until('it is gone', () => service.processes().every(({ pid }) => pid !== controller));
}

t.test('a schedule keeps the secret of its webhook while it is disabled and enabled', async (t) => {
  const receiver = await Receiver.start(t);
  const service = await Service.start(t, args);
  const webhook = { url: `${receiver.origin}/done`, secret };
  const body = JSON.stringify({ cron: '0 3 1 1 *', task: { code: 'true', type: 'bash', webhook } });
  const path = '/v1/schedules/yearly';
  const made = await service.request('PUT', path, body, { 'content-type': 'application/json' });
  t.equal(made.status, 201);
  const { nextRunAt: _, upcoming: __, ...rest } = made.json;
  const disabled = { ...rest, enabled: false };
  const turn = async (order: string) => (await service.request('POST', `${path}/${order}`)).json;
  t.same(await turn('disable'), disabled);
  await endController(service);
  t.same((await service.request('GET', path)).json, disabled, 'it is stored');
  t.same(await turn('enable'), made.json);
  await endController(service);
  t.same((await service.request('GET', path)).json, made.json);
  await service.request('POST', `${path}/run`);
  await until('the receiver has it', () => receiver.received.length === 1);
  const { headers = {}, body: told = '' } = receiver.received[0] ?? {};
  t.equal(headers['webhook-signature'], signature(headers, told, Buffer.alloc(32, 7)));
});

/** What the processes that one has started have open, one text for each. */
function filesOfChildren(pid: number): string[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ');
  return children.filter(Boolean).map((child) => {
    const fds = `/proc/${child}/fd`;
    return readdirSync(fds)
      .map((fd) => fileAt(join(fds, fd)))
      .join(' ');
  });
}

function fileAt(descriptor: string): string {
  try {
    return readlinkSync(descriptor);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return 'closed by now';
    throw error;
  }
}

t.test('what talks to receivers, or runs scripts, does not have the store open', async (t) => {
  const receiver = await Receiver.start(t);
  const service = await Service.start(t, args);
  const webhook = { url: receiver.origin };
  await service.submit({ code: 'true', type: 'bash', webhook }, '?wait=60');
  await until('the receiver has it', () => receiver.received.length === 1);
  const controller = service.partPid('controller');
  const opened = filesOfChildren(controller);
  t.ok(opened.length >= 2, 'a worker, and the courier');
  for (const files of opened) t.notMatch(files, /data\.mdb/);
});

t.test('what is owed outlives a killed controller, and keeps its id', async (t) => {
  // The first attempt is under way for ever.
  const receiver = await Receiver.start(t, (response, count) => {
    if (count > 1) response.end();
  });
  const service = await Service.start(t, args);
  const webhook = { url: receiver.origin };
  const { json } = await service.submit({ code: 'true', type: 'bash', webhook }, '?wait=60');
  await until('the receiver has it', () => receiver.received.length === 1);
  process.kill(service.partPid('controller'), 'SIGKILL');
  await until('it is told again', () => receiver.received.length === 2);
  const [first, second] = receiver.received;
  t.equal(first?.headers['webhook-id'], second?.headers['webhook-id']);
  const path = `/v1/tasks/${json.id}/webhooks`;
  await until('it is delivered', async () => {
    return (await service.request('GET', path)).json.state === 'delivered';
  });
  const file = readFileSync(join(service.dataDir, 'webhook-secret'), 'utf8').trim();
  const key = Buffer.from(file.replace('whsec_', ''), 'base64');
  const { headers = {}, body = '' } = second ?? {};
  t.equal(
    headers['webhook-signature'],
    signature(headers, body, key),
    'by the service’s own secret',
  );
});

t.test('what is not public is refused, at once where the URL says it', async (t) => {
  const service = await Service.start(t, ['--workers', 'bash=1']);
  const submit = (url: string) => service.submit({ code: 'true', type: 'bash', webhook: { url } });
  for (const host of ['127.0.0.1:5000', 'localhost', '[::1]', '169.254.169.254', '2130706433']) {
    t.match(await submit(`http://${host}/`), {
      status: 422,
      json: { code: 'WEBHOOK_NOT_ALLOWED', field: 'webhook.url' },
    });
  }
  t.match(await submit('ftp://example.com/'), {
    status: 400,
    json: { code: 'INVALID_FIELD', field: 'webhook.url', detail: /https/ },
  });
});
