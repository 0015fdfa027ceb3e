import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Answer, Service, until } from './service.js';

const hourMs = 3_600_000;

/** A service whose bash scripts run one at a time and can note what they do in a file. */
class Patient {
  readonly service: Service;

  constructor(service: Service) {
    this.service = service;
  }

  static async start(t: Test, workers = 'bash=1'): Promise<Patient> {
    return new Patient(await Service.start(t, ['--workers', workers, '--isolation', 'none']));
  }

  /** Code that notes its name, once `allow(name)` was called if it waits for that. */
  code(name: string, { waits = false } = {}): string {
    const wait = waits ? `until [ -e ${this.#path(name)} ]; do sleep 0.02; done; ` : '';
    return `echo begun-${name} >> ${this.#path('notes')}; ${wait}echo ${name} >> ${this.#path('notes')}`;
  }

  allow(name: string): void {
    writeFileSync(this.#path(name), '');
  }

  /** What was noted, in order. */
  get notes(): string[] {
    const path = this.#path('notes');
    return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];
  }

  get executed(): string[] {
    return this.notes.filter((note) => !note.startsWith('begun-'));
  }

  async submit(task: object, headers: Record<string, string> = {}): Promise<string> {
    const { status, json } = await this.send(task, headers);
    if (status !== 201) throw new Error(`${status}: ${JSON.stringify(json)}`);
    return String(json.id);
  }

  send(task: object, headers: Record<string, string> = {}): Promise<Answer> {
    const body = JSON.stringify({ type: 'bash', ...task });
    const json = { 'content-type': 'application/json', ...headers };
    return this.service.request('POST', '/v1/tasks', body, json);
  }

  async view(id: string): Promise<Record<string, unknown>> {
    return (await this.service.request('GET', `/v1/tasks/${id}`)).json;
  }

  async finished(id: string): Promise<Record<string, unknown>> {
    await until(`${id} is finished`, async () => (await this.view(id)).state === 'finished');
    return this.view(id);
  }

  /** The controller is killed and comes back only when that has been done which is to happen. */
  async restart(meanwhile: () => void | Promise<void> = () => undefined): Promise<void> {
    const { service } = this;
    const controller = service.partPid('controller');
    service.child.kill('SIGSTOP');
    process.kill(controller, 'SIGKILL');
    await meanwhile();
    service.child.kill('SIGCONT');
    await until('the controller is back', async () => {
      const { status } = await service.request('GET', '/readyz');
      return status === 200 && service.partPid('controller') !== controller;
    });
  }

  #path(name: string): string {
    return join(this.service.dataDir, name);
  }
}

t.test('what was running goes on, what was pending keeps its order', async (t) => {
  const patient = await Patient.start(t);
  const first = await patient.submit({ code: patient.code('done') });
  const before = await patient.finished(first);
  const running = await patient.submit({ code: patient.code('running', { waits: true }) });
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const pending: string[] = [];
  for (const name of names) pending.push(await patient.submit({ code: patient.code(name) }));
  await until('it runs', () => patient.notes.includes('begun-running'));
  await patient.restart();
  t.match(await patient.view(running), { state: 'running', attempt: 1 });
  patient.allow('running');
  for (const id of [running, ...pending]) {
    const { outcome, attempt, attempts } = await patient.finished(id);
    t.match({ outcome, attempt }, { outcome: 'success', attempt: 1 });
    t.equal((attempts as unknown[]).length, 1);
  }
  t.same(patient.executed, ['done', 'running', ...names], 'each once, in order');
  t.same(await patient.view(first), before, 'what had finished is as it was');
});

t.test('a result that came while no controller was there is taken over', async (t) => {
  const patient = await Patient.start(t);
  const id = await patient.submit({ code: patient.code('held', { waits: true }) });
  await until('it runs', () => patient.notes.includes('begun-held'));
  await patient.restart(async () => {
    patient.allow('held');
    await until('its script has ended', () =>
      patient.service.processes().every(({ command }) => !/script\.sh/.test(command)),
    );
  });
  const { outcome, attempts } = await patient.finished(id);
  t.equal(outcome, 'success');
  t.match(attempts, [{ attempt: 1, outcome: 'success' }]);
  t.same(patient.executed, ['held']);
});

t.test('times stand: delays, expiry, and the wait for the next attempt', async (t) => {
  const patient = await Patient.start(t, 'bash=1,noop=1');
  await patient.service.request('POST', '/v1/queues/noop/pause');
  const retry = { maxAttempts: 2, on: ['runtime_error'], baseMs: hourMs, capMs: hourMs };
  const failing = await patient.submit({ code: 'exit 1', retry });
  await until(
    'it failed once',
    async () => (await patient.view(failing)).nextAttemptAt !== undefined,
  );
  const delayed = await patient.submit({ code: patient.code('delayed'), delayMs: hourMs });
  const soon = await patient.submit({ code: patient.code('soon'), delayMs: 3_000 });
  const short = { type: 'noop', code: 'x', expiresAfterMs: 3_000 };
  const expiring = await patient.submit(short);
  const long = await patient.submit({ ...short, expiresAfterMs: hourMs });
  const kept = [failing, delayed, long];
  const before = await Promise.all(kept.map((id) => patient.view(id)));
  const dueAt = Math.max(
    Date.parse(String((await patient.view(soon)).runAt)),
    Date.parse(String((await patient.view(expiring)).expiresAt)),
  );
  await patient.restart(() => until('both times have passed', () => Date.now() > dueAt));
  t.match(await patient.finished(soon), { outcome: 'success', attempt: 1 });
  t.match(await patient.finished(expiring), { outcome: 'expired', attempt: 0 });
  t.same(await Promise.all(kept.map((id) => patient.view(id))), before);
  t.same(patient.executed, ['soon']);
});

t.test('a paused type stays paused until it is resumed', async (t) => {
  const patient = await Patient.start(t, 'bash=1,noop=1');
  const { service } = patient;
  await service.request('POST', '/v1/queues/bash/pause');
  const id = await patient.submit({ code: patient.code('paused') });
  await patient.restart();
  const { json } = await service.request('GET', '/v1/queues');
  t.match(json.queues, [
    { type: 'bash', paused: true, ready: 1 },
    { type: 'noop', paused: false },
  ]);
  // Later than the other in every queue but its own.
  await patient.finished(await patient.submit({ type: 'noop', code: 'x' }));
  t.match(await patient.view(id), { state: 'pending', attempt: 0 });
  await service.request('POST', '/v1/queues/bash/resume');
  t.match(await patient.finished(id), { outcome: 'success' });
});

t.test('an idempotency key stands for its task after a restart', async (t) => {
  const patient = await Patient.start(t);
  const headers = { 'idempotency-key': 'the same' };
  const task = { code: patient.code('once') };
  const id = await patient.submit(task, headers);
  await patient.finished(id);
  await patient.restart();
  const again = await patient.send(task, headers);
  t.equal(again.json.id, id);
  t.equal(again.headers['idempotency-replayed'], 'true');
  t.match(again.json, { state: 'finished', outcome: 'success' });
  t.same(patient.executed, ['once']);
});

t.test('what was to be cancelled is cancelled after a restart', async (t) => {
  const patient = await Patient.start(t);
  const { service } = patient;
  const id = await patient.submit({ code: patient.code('cancelled', { waits: true }) });
  await until('it runs', () => patient.notes.includes('begun-cancelled'));
  const worker = service.partPid('worker');
  // It does not hear of the cancellation from this controller.
  process.kill(worker, 'SIGSTOP');
  const asked = service.request('POST', `/v1/tasks/${id}/cancel`);
  await until('the store has it', async () => (await patient.view(id)).cancel !== undefined);
  await patient.restart(() => void process.kill(worker, 'SIGCONT'));
  t.match(await patient.finished(id), {
    ...{ outcome: 'cancelled', code: 'CANCELLED', attempt: 1 },
    cancel: { cause: 'caller', signalledAt: String, goneAt: String },
  });
  t.ok(
    service.processes().every(({ command }) => !/script\.sh/.test(command)),
    'it is gone',
  );
  t.same(patient.executed, []);
  t.ok([200, 503].includes((await asked).status));
});

t.test('a run that was missed is made up for as its schedule says', async (t) => {
  const patient = await Patient.start(t);
  const { service } = patient;
  const at = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 10_000);
  const when = [at.getUTCSeconds(), at.getUTCMinutes(), at.getUTCHours(), at.getUTCDate()];
  const cron = [...when, at.getUTCMonth() + 1, '*'].join(' ');
  for (const missed of ['skip', 'once', 'all']) {
    const task = { type: 'bash', code: patient.code(missed), tags: [missed] };
    const body = JSON.stringify({ cron, missed, task });
    const json = { 'content-type': 'application/json' };
    const { status } = await service.request('PUT', `/v1/schedules/${missed}`, body, json);
    t.equal(status, 201);
  }
  const unfit = JSON.stringify({ cron, task: { type: 'lua', code: '' } });
  const asJson = { 'content-type': 'application/json' };
  const refused = await service.request('PUT', '/v1/schedules/unfit', unfit, asJson);
  t.match(refused.json, { code: 'UNKNOWN_TYPE', field: 'task.type' }, 'what is wrong stands in it');
  // Within five seconds it would be late, not missed.
  await patient.restart(() => until('it is missed', () => Date.now() > at.getTime() + 6_000));
  await until('both were made up for', () => patient.executed.length === 2);
  await patient.restart();
  const passed = async (id: string) => {
    const { json } = await service.request('GET', `/v1/schedules/${id}`);
    return Date.parse(String(json.nextRunAt)) > at.getTime();
  };
  await until('the one that skips has seen it', () => passed('skip'));
  t.same([...patient.executed].sort(), ['all', 'once'], 'and not once more after another restart');
});

t.test('a worker that hangs loses its task to another, which is the one that counts', async (t) => {
  const patient = await Patient.start(t);
  const { service } = patient;
  const id = await patient.submit({ code: patient.code('hung', { waits: true }) });
  await until('it runs', () => patient.notes.includes('begun-hung'));
  process.kill(service.partPid('worker'), 'SIGSTOP');
  await until('it is tried again', async () => (await patient.view(id)).attempt === 2);
  patient.allow('hung');
  t.match(await patient.finished(id), {
    ...{ outcome: 'success', attempt: 2 },
    attempts: [
      { attempt: 1, outcome: 'network_fail' },
      { attempt: 2, outcome: 'success' },
    ],
  });
});
