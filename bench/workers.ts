import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { packageRoot } from '../src/native.js';
import { noop } from './dispatch.js';
import { freePort } from './free-port.js';
import type { Bench } from './harness.js';
import { p50Ms } from './programs.js';
import { bound, compare } from './row.js';
import { type Service, startService } from './service.js';

/** Of what /proc counts processor time in: sysconf(_SC_CLK_TCK) is 100 on every Linux. */
const ticksPerSecond = 100;

/** A task that does nothing among a thousand connected workers, against ten; and what they cost. */
export const workersThousand: Bench = {
  name: 'workers-1k',
  what: 'a task with a thousand connected workers, against ten; what they cost when idle',
  async run({ smoke }) {
    const many = await startCrowd(smoke ? 20 : 1_000);
    const few = await startCrowd(10);
    const tasks = smoke ? 3 : 500;
    try {
      await p50Ms(smoke ? 1 : 2_000, () => noop(many.service));
      await p50Ms(smoke ? 1 : 2_000, () => noop(few.service));
      const row = await compare({
        name: 'workers-1k',
        unit: 'ms p50',
        reference: 'with 10 workers',
        bar: { atMost: 1.3 },
        rounds: smoke ? 1 : 7,
        measure: () => p50Ms(tasks, () => noop(many.service)),
        measureReference: () => p50Ms(tasks, () => noop(few.service)),
      });
      const idle = await idlePercent(many.service, smoke ? 200 : 20_000);
      return [row, bound('workers-1k idle', idle, '% CPU', 2)];
    } finally {
      await Promise.all([many.stop(), few.stop()]);
    }
  },
};

/** A service that so many workers have joined, beside the one that it has itself. */
export async function startCrowd(
  count: number,
): Promise<{ service: Service; stop(): Promise<void> }> {
  const address = `tcp://127.0.0.1:${await freePort()}`;
  const flags = [`--join-listen=${address}`];
  const service = await startService({ clients: 1, workers: 'noop=1', flags });
  const program = join(packageRoot, 'dist', 'bench', 'crowd.js');
  const token = join(service.dataDir, 'wire-token');
  const crowd = spawn(process.execPath, [program, String(count), address, token], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await said(crowd);
  return {
    service,
    async stop() {
      crowd.kill('SIGKILL');
      await service.stop();
    },
  };
}

async function said(crowd: ChildProcess): Promise<void> {
  const early = once(crowd, 'exit').then(() => {
    throw new Error('the crowd has left');
  });
  await Promise.race([once(crowd.stdout ?? crowd, 'data'), early]);
}

/** Of one processor, what the controller takes while nothing is asked of it. */
async function idlePercent(service: Service, forMs: number): Promise<number> {
  const pid = service.pidOf('controller');
  const before = ticks(pid);
  const startMs = performance.now();
  await delay(forMs);
  const seconds = (performance.now() - startMs) / 1000;
  return (100 * (ticks(pid) - before)) / ticksPerSecond / seconds;
}

/** User and system time so far (proc_pid_stat(5), fields 14 and 15). */
function ticks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
