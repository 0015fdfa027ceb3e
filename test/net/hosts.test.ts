import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { packageRoot } from '../../src/native.js';
import { until } from '../cli/service.js';
import { type Host, Network, type Part, whyNoNetwork } from './network.js';

const skip = whyNoNetwork() ?? false;
const graceMs = 15_000;

/** One controller with http, workers elsewhere, and a daemon of HTTP elsewhere. */
class Installation {
  readonly network: Network;
  readonly #certificates: string;
  readonly #token: string;
  #dataDirs = 0;
  http = '';

  constructor(network: Network) {
    this.network = network;
    this.#certificates = join(network.folder, 'certs');
    this.#token = join(network.folder, 'token');
    writeFileSync(this.#token, 'the wire token of this installation');
    const clean = ['-u', 'NODE_OPTIONS', join(packageRoot, 'bin', 'scriptd')];
    execFileSync('env', [...clean, 'certs', 'init', '--out', this.#certificates]);
  }

  start(
    host: Host | undefined,
    part: 'controller' | 'worker' | 'http',
    args: string[],
    dataDir = join(this.network.folder, `data${++this.#dataDirs}`),
  ): Part {
    mkdirSync(dataDir, { recursive: true });
    const file = (name: string) => join(this.#certificates, name);
    const tls = ['--tls-ca', file('ca.crt'), '--tls-cert', file(`${part}.crt`)];
    const own = [...tls, '--tls-key', file(`${part}.key`), '--wire-token-file', this.#token];
    return this.network.start(host, [part, '--data-dir', dataDir, ...own, ...args]);
  }

  async get(path: string): Promise<Record<string, unknown>> {
    const response = await fetch(`${this.http}${path}`);
    return (await response.json()) as Record<string, unknown>;
  }

  async submit(task: object): Promise<string> {
    const response = await fetch(`${this.http}/v1/tasks`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(task),
    });
    const { id } = (await response.json()) as { id: string };
    return id;
  }

  async task(id: string): Promise<Record<string, unknown>> {
    return await this.get(`/v1/tasks/${id}`);
  }

  async finished(id: string): Promise<Record<string, unknown>> {
    await until(`task ${id} is finished`, async () => (await this.task(id)).state === 'finished');
    return await this.task(id);
  }

  async workers(): Promise<string[]> {
    const { workers } = (await this.get('/v1/workers')) as { workers: { id: string }[] };
    return workers.map(({ id }) => id).sort();
  }
}

const ran = (path: string) => readFileSync(path, 'utf8').split('\n').length - 1;

t.test('controller, workers and http daemon on four hosts', { skip }, async (t) => {
  const network = await Network.create(t, 4);
  const [first, second, third, fourth] = network.hosts;
  const installation = new Installation(network);
  const config = join(network.folder, 'scriptd.yaml');
  writeFileSync(
    config,
    JSON.stringify({
      remoteWorkers: [
        { name: 'away', type: 'python', slots: 2, address: `tcp://${second?.address}:5100` },
      ],
    }),
  );
  const store = join(network.folder, 'kept');
  const startController = () =>
    installation.start(
      first,
      'controller',
      [
        ...['--config', config, '--reconnect-grace-ms', String(graceMs)],
        ...['--controller-listen', `tcp://${first?.address}:5004`],
        ...['--join-listen', `tcp://${first?.address}`],
      ],
      store,
    );
  const controller = startController();
  const level = ['--isolation', 'none', '--slots', '2'];
  installation.start(second, 'worker', [
    ...['--type', 'python', '--name', 'away', '--listen', 'tcp://0.0.0.0:5100', ...level],
  ]);
  const join5005 = ['--join', `tcp://${first?.address}`];
  const joining = ['--type', 'bash', '--name', 'joined', ...join5005, ...level];
  installation.start(third, 'worker', joining);
  const http = installation.start(fourth, 'http', [
    ...['--controller', `tcp://${first?.address}:5004`, '--no-auth'],
    ...['--host', fourth?.address ?? '', '--port', '5000', '--debug-port', '0'],
  ]);
  installation.http = `http://${fourth?.address}:5000`;
  await until('the http daemon listens', () => /http daemon is listening/.test(http.log));
  await until('both workers are there', async () => (await installation.workers()).length === 2);

  await t.test('tasks of both are done, over a slow and lossy network', async (t) => {
    await network.shape(20, 0.03);
    const code = { python: 'print(6 * 7)', bash: 'echo 42' };
    const ids = await Promise.all(
      Array.from({ length: 20 }, (_, index) => {
        const type = index % 2 === 0 ? 'python' : 'bash';
        return installation.submit({ type, code: code[type] });
      }),
    );
    for (const id of ids) {
      t.match(await installation.finished(id), { outcome: 'success', stdout: '42\n' });
    }
    await network.shape(0, 0);
  });

  await t.test('a second worker of a name is turned away, and told why', async (t) => {
    const other = installation.start(fourth, 'worker', joining);
    await until('it is told', () =>
      /turned this worker away: another worker joined/.test(other.log),
    );
    t.same(await installation.workers(), ['away', 'joined']);
    await other.stop();
  });

  await t.test('what ran when the cable was cut is delivered once it is mended', async (t) => {
    const runs = (name: string) => join(network.folder, `runs-${name}`);
    const bash = (name: string) => `echo run >> ${runs(name)}; sleep 10; echo there`;
    const [away, joined] = await Promise.all([
      installation.submit({
        type: 'python',
        code: `import subprocess; subprocess.run(["bash", "-c", "${bash('away')}"])`,
      }),
      installation.submit({ type: 'bash', code: bash('joined') }),
    ]);
    const startedBoth = async () => {
      const tasks = [await installation.task(away), await installation.task(joined)];
      return tasks.every(({ state }) => state === 'running');
    };
    await until('both run', startedBoth);
    // No FIN, no reset: both sides have to find out by themselves.
    for (const host of [second, third]) if (host) await network.cut(host);
    await until('both are missed', async () => (await installation.workers()).length === 0);
    t.match(await installation.task(away), { state: 'running', attempt: 1 });
    for (const host of [second, third]) if (host) await network.mend(host);
    for (const id of [away, joined]) {
      const task = await installation.finished(id);
      t.match(task, { outcome: 'success', stdout: 'there\n', attempt: 1 });
    }
    t.equal(ran(runs('away')), 1);
    t.equal(ran(runs('joined')), 1);
    await until('both are back', async () => (await installation.workers()).length === 2);
  });

  await t.test(
    'what comes after the grace is fenced off: one outcome, of the later one',
    async (t) => {
      const runs = join(network.folder, 'runs-fenced');
      const code = `echo run >> ${runs}; n=$(wc -l < ${runs}); [ $n = 1 ] && sleep 4; echo attempt $n`;
      const id = await installation.submit({ type: 'bash', code, retry: { baseMs: 1, capMs: 1 } });
      await until('it runs', async () => (await installation.task(id)).state === 'running');
      const { worker } = (await installation.task(id)) as { worker: string };
      t.equal(worker, 'joined');
      const standIn = installation.start(second, 'worker', [
        ...['--type', 'bash', '--name', 'stand-in', ...join5005, ...level],
      ]);
      const told = controller.log.length;
      if (third) await network.cut(third);
      await until('the stand-in is there', () => /controller connected/.test(standIn.log));
      const task = await installation.finished(id);
      t.match(task, { outcome: 'success', stdout: 'attempt 2\n', attempt: 2, worker: 'stand-in' });
      if (third) await network.mend(third);
      await until('it is back', async () => (await installation.workers()).includes('joined'));
      await until('its result is told to be forgotten', () =>
        /worker joined is connected/.test(controller.log.slice(told)),
      );
      t.match(await installation.task(id), { stdout: 'attempt 2\n', attempt: 2 });
      t.equal(ran(runs), 2);
    },
  );

  await t.test('a controller that is killed finds again what runs on other hosts', async (t) => {
    const runs = join(network.folder, 'runs-restart');
    const code = `echo run >> ${runs}; sleep 4; echo there`;
    const ids = [await installation.submit({ type: 'bash', code })];
    const python = `import subprocess; subprocess.run(["bash", "-c", "${code}"])`;
    ids.push(await installation.submit({ type: 'python', code: python }));
    await until('both run', () => existsSync(runs) && ran(runs) === 2);
    controller.child.kill('SIGKILL');
    const next = startController();
    await until('the next one listens', () => /controller is listening/.test(next.log));
    for (const id of ids) {
      const task = await installation.finished(id);
      t.match(task, { outcome: 'success', stdout: 'there\n', attempt: 1 });
    }
    t.equal(ran(runs), 2);
  });
});
