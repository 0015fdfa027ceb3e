import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../src/native.js';
import { type Bench, compare, median } from './harness.js';

/** A script over HTTP and back, one client, against starting the interpreter for it by hand. */
export const execute: Bench = {
  name: 'execute',
  async run({ smoke }) {
    const requests = smoke ? 3 : 60;
    // The interpreter itself: a version manager's shim in PATH would cost more than it.
    const python = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], {
      encoding: 'utf8',
    }).trim();
    const service = await startService();
    try {
      const row = await compare({
        name: 'execute',
        unit: 'ms p50',
        reference: "python3 -c 'print(1)'",
        bar: { atMost: 0.3 },
        rounds: smoke ? 1 : 7,
        measure: () => p50Ms(requests, () => service.execute('print(1)')),
        measureReference: () => p50Ms(requests, async () => spawnPython(python)),
      });
      return [row];
    } finally {
      await service.stop();
    }
  },
};

async function p50Ms(count: number, once: () => Promise<void>): Promise<number> {
  const took: number[] = [];
  for (let index = 0; index < count; index++) {
    const start = performance.now();
    await once();
    took.push(performance.now() - start);
  }
  return median(took);
}

function spawnPython(python: string): void {
  const { stdout, status } = spawnSync(python, ['-c', 'print(1)']);
  if (status !== 0 || stdout.toString() !== '1\n') throw new Error('python3 does not print 1');
}

/** A real `scriptd up`, and one client with one connection to it. */
async function startService() {
  const dataDir = mkdtempSync(join(tmpdir(), 'scriptd-bench-'));
  const flags = ['--port=0', '--debug-port=0', '--log-level=error', '--workers=python=2'];
  const child = spawn(
    join(packageRoot, 'bin', 'scriptd'),
    ['up', `--data-dir=${dataDir}`, ...flags],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  const address = /^scriptd ready (\S+)/.exec(line)?.[1];
  if (address === undefined) throw new Error(`up said: ${line}`);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return {
    async execute(code: string): Promise<void> {
      const path = `/execute?code=${encodeURIComponent(code)}`;
      const request = get(`${address}${path}`, { agent });
      const [response] = await once(request, 'response');
      let body = '';
      for await (const chunk of response) body += chunk;
      if (response.statusCode !== 200 || body !== '1\n') throw new Error(`answered: ${body}`);
    },
    async stop(): Promise<void> {
      agent.destroy();
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
