import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LmdbStore } from '../src/store/lmdb/store.js';
import { noop } from './dispatch.js';
import type { Bench } from './harness.js';
import { p50Ms } from './programs.js';
import { type BenchRow, bound, compare } from './row.js';
import { type Service, type ServiceOptions, startService } from './service.js';
import { submissionOf } from './submission.js';

/** Two types without processes, each with a worker; `held` is paused, so that its tasks pend. */
const config = 'runtimes:\n  held: {kind: noop}\n';
const workers = 'noop=1,held=1';
/** One that fair shares do not confuse with what pends; and no group may hold more than a million. */
export const group = 'bench';
const batch = 5_000;

/** A no-op task while a million others are pending, against a thousand; and what the million costs. */
export const pending: Bench = {
  name: 'pending-1m',
  what: 'a task among a million that wait, against a thousand; memory and start with the million',
  async run({ smoke }) {
    const many = await startPending(smoke ? 1_000 : 1_000_000);
    const few = await startPending(smoke ? 10 : 1_000);
    const tasks = smoke ? 3 : 200;
    try {
      await p50Ms(smoke ? 1 : 2_000, () => noop(many.service, group));
      await p50Ms(smoke ? 1 : 2_000, () => noop(few.service, group));
      const row = await compare({
        name: 'pending-1m',
        unit: 'ms p50',
        reference: 'with 1,000 pending',
        bar: { atMost: 1.2 },
        rounds: smoke ? 1 : 9,
        measure: () => p50Ms(tasks, () => noop(many.service, group)),
        measureReference: () => p50Ms(tasks, () => noop(few.service, group)),
      });
      const memory = bound('pending-1m memory', anonymousMiB(many.service), 'MiB', 300);
      return [row, memory, bound('pending-1m start', many.readySeconds, 's', 5)] as BenchRow[];
    } finally {
      await Promise.all([many.service.stop(), few.service.stop()]);
    }
  },
};

/** A service that has been started on a store with so many pending tasks. */
async function startPending(tasks: number): Promise<{ service: Service; readySeconds: number }> {
  const options = await heldService();
  await fill(join(options.dataDir, 'store'), tasks);
  const startMs = performance.now();
  const service = await startService(options);
  return { service, readySeconds: (performance.now() - startMs) / 1000 };
}

/** Options of services whose type `held` is paused; the folder is there, and nothing runs on it. */
export async function heldService(): Promise<ServiceOptions & { dataDir: string }> {
  const dataDir = mkdtempSync(join(tmpdir(), 'scriptd-bench-'));
  const file = join(dataDir, 'scriptd.yaml');
  writeFileSync(file, config);
  const options = { clients: 1, workers, dataDir, flags: [`--config=${file}`] };
  const service = await startService(options);
  await service.post('/v1/queues/held/pause', {});
  await service.stop({ keep: true });
  return options;
}

/** Puts so many pending tasks of the type `held` into a store that nobody has open. */
export async function fill(directory: string, tasks: number): Promise<void> {
  const store = new LmdbStore({ directory, durability: 'os' });
  for (let done = 0; done < tasks; done += batch) {
    const size = Math.min(batch, tasks - done);
    await store.submit(Array.from({ length: size }, () => submissionOf('held')));
  }
  await store.close();
}

/** What the controller has for itself, without pages of files, which the kernel may take back. */
export function anonymousMiB(service: Service): number {
  const status = readFileSync(`/proc/${service.pidOf('controller')}/status`, 'utf8');
  return Number(/^RssAnon:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
}
