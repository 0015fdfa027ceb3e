import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { type Bench, compare } from './harness.js';
import { perSecond } from './load.js';
import { p50Ms, pythonPath } from './programs.js';
import { startService } from './service.js';

/** A script over HTTP and back, one client, against starting the interpreter for it by hand. */
export const execute: Bench = {
  name: 'execute',
  async run({ smoke }) {
    const requests = smoke ? 3 : 60;
    const python = pythonPath();
    const service = await startService({ clients: 1 });
    try {
      const row = await compare({
        name: 'execute',
        unit: 'ms p50',
        reference: "python3 -c 'print(1)'",
        bar: { atMost: 0.3 },
        rounds: smoke ? 1 : 7,
        measure: () => p50Ms(requests, () => service.execute('print(1)', '1\n')),
        measureReference: () => p50Ms(requests, async () => spawnPython(python)),
      });
      return [row];
    } finally {
      await service.stop();
    }
  },
};

const clients = 8;

/** Eight clients, each with a script after the other, against a loop that starts interpreters. */
export const executeLoad: Bench = {
  name: 'execute-load',
  async run({ smoke }) {
    const forMs = smoke ? 200 : 10_000;
    const python = pythonPath();
    const service = await startService({ clients, workers: `python=${clients}` });
    try {
      const row = await compare({
        name: 'execute-load',
        unit: 'tasks/s',
        reference: "python3 -c 'print(1)' on every core",
        bar: { atLeast: 1.5 },
        // A minute for either side.
        rounds: smoke ? 1 : 6,
        measure: () => perSecond(forMs, clients, () => service.execute('print(1)', '1\n')),
        measureReference: () => perSecond(forMs, availableParallelism(), () => pythonOnce(python)),
      });
      return [row];
    } finally {
      await service.stop();
    }
  },
};

function spawnPython(python: string): void {
  const { stdout, status } = spawnSync(python, ['-c', 'print(1)']);
  if (status !== 0 || stdout.toString() !== '1\n') throw new Error('python3 does not print 1');
}

async function pythonOnce(python: string): Promise<void> {
  const child = spawn(python, ['-c', 'print(1)'], { stdio: ['ignore', 'pipe', 'inherit'] });
  child.stdout.resume();
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error('python3 does not print 1');
}
