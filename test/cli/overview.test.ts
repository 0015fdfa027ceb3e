import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type Overview, type Sample, Scriptd } from '../../src/client/index.js';
import { EventReader } from '../http/event-reader.js';
import { Service, until } from './service.js';

/** Without isolation, so that scripts see the files of the test. */
const workers = ['--isolation', 'none', '--workers', 'bash=1,python=1'];

async function overviewOf(service: Service): Promise<Overview> {
  return (await service.request('GET', '/v1/overview')).json as unknown as Overview;
}

const codes = ({ warnings }: Overview) =>
  warnings.map(({ code, type }) => (type === undefined ? code : `${code} ${type}`));

const weak = ['WEAK_ISOLATION bash', 'WEAK_ISOLATION python'];

t.test('the overview of a service, and what it warns of', async (t) => {
  const service = await Service.start(t, workers);
  const begunMs = Date.now();
  await until('its workers have told of themselves', async () =>
    (await overviewOf(service)).workers.every(({ pool }) => pool !== undefined),
  );
  const overview = await overviewOf(service);
  t.match(overview, {
    ...{ ready: true, draining: false, missing: [], deadLetters: 0 },
    queues: [
      { type: 'bash', paused: false, ready: 0, workers: 1, slots: 1 },
      { type: 'python', paused: false, ready: 0, workers: 1, slots: 1 },
    ],
  });
  t.same(codes(overview).sort(), weak);
  for (const { id, pid, draining, connectedAt = '', heardAt = '' } of overview.workers) {
    t.equal(pid, service.partPid('worker', id));
    t.equal(draining, false);
    t.ok(Date.parse(connectedAt) <= begunMs + 1_000, connectedAt);
    t.ok(Date.parse(heardAt) >= Date.parse(connectedAt), heardAt);
  }

  await service.request('POST', '/v1/queues/bash/pause');
  const { json: held } = await service.submit({ code: 'echo', type: 'bash', delayMs: 100 });
  await until('it is ready', async () => (await overviewOf(service)).queues[0]?.ready === 1);
  const paused = await overviewOf(service);
  t.same(codes(paused), ['PAUSED bash', ...codes(overview)]);
  const { oldestMs } = paused.queues[0] ?? {};
  t.ok(oldestMs !== undefined && oldestMs >= 0, 'its head waits');
  await service.request('POST', '/v1/queues/bash/resume');
  await service.request('GET', `/v1/tasks/${held.id}?wait=60`);
  t.same(codes(await overviewOf(service)), codes(overview));

  const once = { code: 'sleep 60', type: 'bash', retry: { maxAttempts: 1 } };
  const { json: lost } = await service.submit(once);
  await until('it runs', async () => (await overviewOf(service)).queues[0]?.running === 1);
  process.kill(service.partPid('worker', 'bash-1'), 'SIGKILL');
  const { json: dead } = await service.request('GET', `/v1/tasks/${lost.id}?wait=60`);
  t.match(dead, { deadLetter: true, code: 'WORKER_LOST' });
  await until('it is counted', async () => (await overviewOf(service)).deadLetters === 1);
  t.ok(codes(await overviewOf(service)).includes('DEAD_LETTERS'));
});

t.test('a stream has the overview, and each step as it ends', async (t) => {
  const service = await Service.start(t, workers);
  const reader = await EventReader.open(service.address, '/v1/overview/events');
  t.teardown(() => reader.destroy());
  t.match(await reader.next(), { name: 'history', data: { stepMs: 10_000, samples: [] } });
  const { data } = await reader.find(({ name }) => name === 'overview');
  t.match(data, { ready: true });
  for (const code of ['exit 0', 'exit 0', 'exit 1']) {
    await service.submit({ code, type: 'bash' }, '?wait=60');
  }
  const samples: Sample[] = [];
  const sum = (of: (sample: Sample) => number) =>
    samples.reduce((total, sample) => total + of(sample), 0);
  // The last of them; it may be in another step than those before it.
  while (sum(({ types }) => types.bash?.finished.runtime_error ?? 0) < 1) {
    const { data } = await reader.find(({ name }) => name === 'sample');
    samples.push(data as unknown as Sample);
  }
  t.equal(
    sum(({ types }) => types.bash?.submitted ?? 0),
    3,
  );
  t.equal(
    sum(({ types }) => types.bash?.finished.success ?? 0),
    2,
  );
  t.match(samples.at(-1)?.types.python, { submitted: 0, finished: {}, slots: 1 });
  const late = await EventReader.open(service.address, '/v1/overview/events');
  t.teardown(() => late.destroy());
  const history = (await late.next())?.data.samples as Sample[];
  t.same(history.slice(-samples.length), samples, 'it is what later ones begin with');
});

t.test('a worker that is drained loses nothing, and another takes its place', async (t) => {
  const service = await Service.start(t, workers);
  const client = new Scriptd({ url: service.address });
  const [begun, release] = [join(service.dataDir, 'begun'), join(service.dataDir, 'release')];
  const code = `touch ${begun}; until [ -e ${release} ]; do sleep 0.01; done; echo done`;
  const running = await client.submit({ code, type: 'bash' });
  await until('it runs', () => existsSync(begun));
  const waiting = await Promise.all(
    Array.from({ length: 5 }, (_, index) => client.submit({ code: `echo ${index}`, type: 'bash' })),
  );
  const before = (await client.workers()).find(({ id }) => id === 'bash-1');
  t.match(await client.drainWorker('bash-1'), { id: 'bash-1', draining: true, pid: before?.pid });
  t.match(await client.drainWorker('bash-1'), { draining: true }, 'as often as one likes');
  await t.rejects(client.drainWorker('bash-2'), { code: 'UNKNOWN_WORKER', status: 404 });
  const drains = (await client.overview()).workers.find(({ id }) => id === 'bash-1');
  t.match(drains, { draining: true, busy: Number });
  await until('it has handed back what has not begun', async () => {
    const queue = (await client.queues()).find(({ type }) => type === 'bash');
    return queue?.ready === waiting.length && queue.running === 1;
  });
  writeFileSync(release, '');
  const ended = await client.wait(running.id);
  t.match(ended, { outcome: 'success', stdout: 'done\n', attempts: { length: 1 } });
  for (const [index, { id }] of waiting.entries()) {
    const task = await client.wait(id);
    t.match(task, { outcome: 'success', stdout: `${index}\n` });
  }
  const after = (await client.workers()).find(({ id }) => id === 'bash-1');
  t.equal(after?.draining, false);
  t.not(after?.pid, before?.pid, 'another process does it');
});

t.test('the client follows the overview over a restart of the HTTP daemon', async (t) => {
  const service = await Service.start(t, workers);
  const client = new Scriptd({ url: service.address });
  const over = new AbortController();
  const events = client.overviewEvents({ signal: over.signal });
  const next = async () => (await events.next()).value?.event;
  t.same([await next(), await next()], ['history', 'overview']);
  process.kill(service.partPid('http'), 'SIGKILL');
  t.same([await next(), await next()], ['history', 'overview']);
  over.abort(new Error('seen enough'));
  await t.rejects(events.next(), { message: 'seen enough' });
});
