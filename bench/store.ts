import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LmdbStore } from '../src/store/lmdb/store.js';
import { median } from './statistics.js';
import { submissionOf } from './submission.js';

/**
 * What the durable store does by itself: `node dist/bench/store.js [FOLDER] [TASKS]`. Prints durable
 * submissions with 1 and with 100 writers, then TASKS (1,000,000) submissions of 2 KB of code each
 * in batches, and how long another process takes to open that and to read what is unfinished.
 */

const [folder = mkdtempSync(join(tmpdir(), 'scriptd-bench-store-')), count = '1000000', role] =
  process.argv.slice(2);
const directory = join(folder, 'store');

const submission = () => submissionOf('python');

/** KiB of a line of /proc/self/status, e.g. RssAnon. */
function statusKib(name: string): number {
  const status = readFileSync('/proc/self/status', 'utf8');
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
}

async function writers(store: LmdbStore, concurrency: number, seconds: number): Promise<void> {
  const latencies: number[] = [];
  const endMs = performance.now() + seconds * 1000;
  const startMs = performance.now();
  const write = async () => {
    while (performance.now() < endMs) {
      const sinceMs = performance.now();
      await store.submit([submission()]);
      latencies.push(performance.now() - sinceMs);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, write));
  const perSecond = (latencies.length / (performance.now() - startMs)) * 1000;
  const p50 = median(latencies).toFixed(2);
  console.log(
    `${concurrency} writers: ${Math.round(perSecond)} durable submissions/s, p50 ${p50} ms`,
  );
}

async function lifecycles(store: LmdbStore, total: number, batch: number): Promise<void> {
  const startMs = performance.now();
  const attempt = { attempt: 1, worker: 'python-1', startedAt: Date.now() };
  const ending = {
    outcome: 'success',
    result: {
      outcome: 'success',
      exitCode: 0,
      stdout: Buffer.from('1\n'),
      stderr: Buffer.alloc(0),
      truncated: { stdout: false, stderr: false },
      phases: { startMs: 1, runMs: 1, drainMs: 1 },
    },
  } as const;
  let previous: string[] = [];
  let running: string[] = [];
  for (let done = 0; done < total + 2 * batch; done += batch) {
    const next = done < total ? Array.from({ length: batch }, submission) : [];
    const finished = { attempt: undefined, ending, finishedAt: Date.now(), timeline: undefined };
    await Promise.all([
      store.submit(next),
      store.claim(previous.map((taskId) => ({ taskId, attempt }))),
      store.complete(running.map((taskId) => ({ taskId, ...finished }))),
    ]);
    running = previous;
    previous = next.map(({ view }) => view.id);
  }
  const perSecond = (total / (performance.now() - startMs)) * 1000;
  console.log(`whole lives, ${batch} in a turn: ${Math.round(perSecond)} tasks/s`);
}

async function fill(store: LmdbStore, total: number): Promise<void> {
  const startMs = performance.now();
  for (let done = 0; done < total; done += 1000) {
    await store.submit(Array.from({ length: 1000 }, submission));
  }
  const seconds = (performance.now() - startMs) / 1000;
  const rate = Math.round(total / seconds);
  const gib = (store.stats().fileBytes / 1024 ** 3).toFixed(2);
  console.log(`${total} submissions in ${seconds.toFixed(1)} s (${rate}/s); file ${gib} GiB`);
}

/** In a process of its own, as a controller that starts. */
async function reopen(): Promise<void> {
  const before = statusKib('RssAnon');
  const startMs = performance.now();
  const store = new LmdbStore({ directory, durability: 'fsync' });
  const openMs = performance.now() - startMs;
  let records = 0;
  let bytes = 0;
  for await (const chunk of store.unfinished()) {
    records += chunk.length;
    for (const record of chunk) bytes += record.bytes;
  }
  const seconds = ((performance.now() - startMs) / 1000).toFixed(2);
  const after = statusKib('RssAnon');
  console.log(
    `opened in ${openMs.toFixed(0)} ms; ${records} unfinished (${bytes} bytes of specs) read after ` +
      `${seconds} s; RssAnon ${before >> 10} → ${after >> 10} MiB, RssFile ${statusKib('RssFile') >> 10} MiB`,
  );
  const pageMs = performance.now();
  await store.query({ limit: 100 });
  console.log(`a page of the 100 newest: ${(performance.now() - pageMs).toFixed(1)} ms`);
  await store.close();
}

if (role === 'reopen') {
  await reopen();
} else {
  const store = new LmdbStore({ directory, durability: 'fsync' });
  await writers(store, 1, 3);
  await writers(store, 100, 3);
  await lifecycles(store, 50_000, 250);
  await fill(store, Number(count));
  await store.close();
  spawnSync(process.execPath, [fileURLToPath(import.meta.url), folder, count, 'reopen'], {
    stdio: 'inherit',
  });
  rmSync(folder, { recursive: true });
}
