// What instructions.ts counts: operations of the hot path without any I/O, each named on standard
// output before its instructions are, with the bytes it allocates.
import { writeSync } from 'node:fs';
import { readJson } from '../../src/http/json-reader.js';
import { readTaskBody } from '../../src/http/task-body.js';
import { taskJson } from '../../src/http/task-json.js';
import { limits as maxima } from '../../src/limits.js';
import { Scheduler } from '../../src/scheduler/scheduler.js';
import type { Limits, Result, TaskView } from '../../src/task.js';
import { decodePayload, encodeFrame } from '../../src/wire/codec.js';
import { FrameDecoder } from '../../src/wire/frame.js';
import type { Message } from '../../src/wire/messages.js';

/** The signal that single-step.c listens for. */
const mark = 40;
/** Enough for the code to be compiled as far as it ever is; how many is told, so that it varies. */
const warmUps = Number(process.argv[2]);
/** While bytes are counted there must be no collection: what all of them allocate fits. */
const allocations = 1_000;
/** The least of so many counts: a buffer that is full now and then is in one of them. */
const counts = 2;

const taskId = '01890a5d-ac96-774b-bcce-b302099a8057';
const code = 'for line in text.splitlines():\n    print(line.strip())\n'.repeat(3);
const limits: Limits = {
  wallMs: maxima.wallMsDefault,
  cpuMs: maxima.cpuMsDefault,
  outputBytes: maxima.outputBytesDefault,
  diskBytes: maxima.diskBytesDefault,
  openFiles: maxima.openFilesDefault,
  processes: maxima.processesDefault,
};
const result: Result = {
  outcome: 'success',
  stdout: Buffer.from('1\n'),
  stderr: Buffer.alloc(0),
  truncated: { stdout: false, stderr: false },
  phases: { startMs: 0.5, runMs: 1.25, drainMs: 0.125 },
};

/** A frame there and back: encoded, cut out of the stream, scanned, decoded, checked. */
function frame(message: Message): () => void {
  const decoder = new FrameDecoder(1 << 24);
  return () => {
    let seen = 0;
    decoder.push(encodeFrame(message), (payload) => {
      if (decodePayload(payload).kind === message.kind) seen += 1;
      return true;
    });
    if (seen !== 1) throw new Error('a frame was lost');
  };
}

function body(): () => void {
  const json = Buffer.from(JSON.stringify({ type: 'python', code, tags: ['a', 'b'], priority: 3 }));
  return () => {
    if (readTaskBody(readJson(json, 'the body'), 0).type !== 'python') throw new Error('misread');
  };
}

function answer(): () => void {
  const attempts = [{ attempt: 1, workerId: 'python-1', outcome: 'success' as const }];
  const task = {
    ...{
      id: taskId,
      type: 'python',
      state: 'finished',
      priority: 0,
      score: 0,
      tags: ['a'],
      limits,
    },
    ...{ network: 'none', attempt: 1, attempts, createdAt: 1.7e12, durability: 'fsync' },
    ...{ outcome: 'success', startedAt: 1.7e12, finishedAt: 1.7e12, stdout: result.stdout },
  } as unknown as TaskView;
  return () => {
    if (JSON.stringify(taskJson(task)).length < taskId.length) throw new Error('too short');
  };
}

/** A task's whole life while so many others are pending. */
function schedule(pending: number): () => void {
  const scheduler = new Scheduler({ random: () => 0.5 });
  const worker = { id: 'w', type: 'noop', slots: 1, running: [], unacknowledged: [] };
  let nowMs = 0;
  let submitted = 0;
  const submit = (type: string) => {
    // Spread as random ids are, and the same ones each time.
    const spread = (Math.imul(submitted++, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0');
    const id = `00000000-0000-7000-8000-0000${spread}`;
    scheduler.submit({ id, type, priority: 0, createdAt: nowMs, wallMs: 10_000 });
  };
  scheduler.connect(worker, nowMs);
  for (let index = 0; index < pending; index++) submit('noop');
  let actions = scheduler.take(nowMs);
  return () => {
    nowMs += 1;
    submit('noop');
    const dispatch = actions.find((action) => action.type === 'dispatch');
    if (dispatch?.type !== 'dispatch') throw new Error('nothing was dispatched');
    const key = { taskId: dispatch.taskId, attempt: dispatch.attempt };
    scheduler.started('w', key, nowMs);
    scheduler.result('w', key, result, nowMs);
    actions = scheduler.take(nowMs);
  };
}

const key = { taskId, attempt: 1 };
const operations: Readonly<Record<string, () => void>> = {
  nothing: () => undefined,
  'frame execute': frame({ kind: 'execute', ...key, code, args: ['-v'], limits }),
  'frame result': frame({ kind: 'result', ...key, result }),
  'json body': body(),
  'json answer': answer(),
  'schedule among 1,000': schedule(1_000),
  'schedule among 64,000': schedule(64_000),
};

for (const [name, operation] of Object.entries(operations)) {
  for (let index = 0; index < warmUps; index++) operation();
  collectGarbage();
  const bytes = heldBytes();
  for (let index = 0; index < allocations; index++) operation();
  writeSync(1, `operation ${(heldBytes() - bytes) / allocations} ${name}\n`);
  for (let count = 0; count < counts; count++) countInstructions(operation);
}

function countInstructions(operation: () => void): void {
  process.kill(process.pid, mark);
  operation();
  process.kill(process.pid, mark);
}

function heldBytes(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function collectGarbage(): void {
  if (globalThis.gc === undefined) throw new Error('start node with --expose-gc');
  globalThis.gc();
}
