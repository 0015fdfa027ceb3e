import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';
import { packageRoot } from '../../src/native.js';

/** Parts that are started one by one, as a service manager does, in one data directory. */
class Parts {
  readonly dataDir = mkdtempSync(join(tmpdir(), 'scriptd-parts-'));
  readonly runDir = mkdtempSync(join(tmpdir(), 'scriptd-run-'));
  readonly #children = new Set<ChildProcess>();

  constructor(t: Test) {
    t.teardown(async () => {
      await Promise.all([...this.#children].map((child) => this.stop(child)));
      for (const path of [this.dataDir, this.runDir]) rmSync(path, { recursive: true });
    });
  }

  start(part: string, ...args: string[]): ChildProcess {
    const folders = [`--data-dir=${this.dataDir}`, `--run-dir=${this.runDir}`];
    const command = ['-u', 'NODE_OPTIONS', join(packageRoot, 'bin', 'scriptd'), part];
    const child = spawn('env', [...command, ...folders, '--log-level=error', ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#children.add(child);
    return child;
  }

  controller(): ChildProcess {
    return this.start('controller', '--manager=none', '--workers=bash=1');
  }

  async stop(child: ChildProcess): Promise<void> {
    this.#children.delete(child);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
  }
}

async function lineOf(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('no stdout');
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return String(line);
}

t.test(
  'workers that are not its own outlive the stop of a controller, and so does what they run',
  async (t) => {
    const parts = new Parts(t);
    const worker = parts.start('worker', '--type=bash', '--isolation=none');
    const first = parts.controller();
    const http = parts.start('http', '--port=0', '--debug-port=0');
    const address = /listening (\S+)/.exec(await lineOf(http))?.[1] ?? '';
    const ready = async () => (await fetch(`${address}/readyz`)).status === 200;
    while (!(await ready())) await new Promise((resolve) => setTimeout(resolve, 20));

    const gate = join(parts.runDir, 'gate');
    const code = `until [ -e ${gate} ]; do sleep 0.02; done; echo $$ through`;
    const submitted = await fetch(`${address}/v1/tasks`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ type: 'bash', code }),
    });
    const { id } = (await submitted.json()) as { id: string };
    const view = async () =>
      (await (await fetch(`${address}/v1/tasks/${id}`)).json()) as Record<string, unknown>;
    while ((await view()).state !== 'running') await new Promise((go) => setTimeout(go, 20));

    await parts.stop(first);
    t.equal(first.exitCode, 0);
    t.equal(worker.exitCode, null, 'the worker goes on');
    parts.controller();
    writeFileSync(gate, '');
    while ((await view()).state !== 'finished') await new Promise((go) => setTimeout(go, 20));
    t.match(await view(), { outcome: 'success', attempt: 1 });
  },
);

t.test('a worker that comes later is found', async (t) => {
  const parts = new Parts(t);
  parts.controller();
  const http = parts.start('http', '--port=0', '--debug-port=0');
  const address = /listening (\S+)/.exec(await lineOf(http))?.[1] ?? '';
  const ready = async () => (await fetch(`${address}/readyz`)).status;
  t.equal(await ready(), 503);
  const worker = parts.start('worker', '--type=bash', '--isolation=none');
  while ((await ready()) !== 200) await new Promise((go) => setTimeout(go, 20));
  // It goes when it is told to by whoever started it, and comes back when that one starts another.
  await parts.stop(worker);
  while ((await ready()) === 200) await new Promise((go) => setTimeout(go, 20));
  parts.start('worker', '--type=bash', '--isolation=none');
  while ((await ready()) !== 200) await new Promise((go) => setTimeout(go, 20));
  t.pass();
});
