/**
 * What pending tasks cost, printed as one line of JSON: bytes of anonymous memory (RssAnon of
 * proc_pid_status(5)), and the time of one dispatch, result and submission with so many pending.
 * Run with --expose-gc: node --expose-gc dist/test/scheduler/measure/pending.js TASKS [ROUNDS]
 */
import { readFileSync } from 'node:fs';
import { v7 as uuidv7 } from 'uuid';
import { Scheduler } from '../../../src/scheduler/scheduler.js';
import { resultOf } from '../rig.js';

const tasks = Number(process.argv[2] ?? 1_000_000);
const rounds = Number(process.argv[3] ?? 100_000);
const result = resultOf();

function anonymousBytes(): number {
  globalThis.gc?.();
  const line = /RssAnon:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'));
  return Number(line?.[1]) * 1024;
}

const before = anonymousBytes();
const scheduler = new Scheduler({ random: Math.random });
const submit = (index: number) =>
  scheduler.submit({
    ...{ id: uuidv7(), type: 'python', priority: index % 5, createdAt: index / 10 },
    ...{ wallMs: 30_000, expiresAtMs: 1e9 + index, group: `group${index % 10}` },
  });
const submitStart = performance.now();
for (let index = 0; index < tasks; index++) submit(index);
const submitUs = ((performance.now() - submitStart) * 1000) / tasks;
const bytes = anonymousBytes() - before;

scheduler.connect({ id: 'p', type: 'python', slots: 1, running: [] }, 0);
let actions = scheduler.take(0);
const times = new Float64Array(rounds);
for (let round = 0; round < rounds; round++) {
  const start = performance.now();
  const nowMs = (tasks + round) / 10;
  submit(tasks + round);
  for (const action of actions) {
    if (action.type !== 'dispatch') continue;
    const { taskId, attempt } = action;
    scheduler.started('p', { taskId, attempt }, nowMs);
    scheduler.result('p', { taskId, attempt }, result, nowMs);
  }
  actions = scheduler.take(nowMs);
  times[round] = performance.now() - start;
}
times.sort();
const roundUs = (times[rounds >> 1] as number) * 1000;
const megabytes = Math.round(bytes / 1e5) / 10;
process.stdout.write(
  `${JSON.stringify({ tasks, megabytes, bytesPerTask: bytes / tasks, submitUs, roundUs })}\n`,
);
