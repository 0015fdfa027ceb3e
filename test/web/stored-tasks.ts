import { spawnSync } from 'node:child_process';
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Test } from 'tap';
import { v7 as uuidv7 } from 'uuid';
import { packageRoot } from '../../src/native.js';
import type { TaskSpec, TaskView } from '../../src/task.js';

/** What one of them is to be, by its number from 0: the oldest. */
export type Stored = (index: number) => { view?: Partial<TaskView>; spec?: Partial<TaskSpec> };

/**
 * A data folder whose store has so many finished tasks, without anybody having run them: they come
 * out of an export. It goes with the test.
 *
 * @returns arguments of `scriptd up`, and the ids, oldest first
 */
export async function storedTasks(
  test: Test,
  count: number,
  stored: Stored = () => ({}),
): Promise<{ args: string[]; ids: string[] }> {
  const dataDir = mkdtempSync(join(tmpdir(), 'scriptd-tasks-'));
  test.teardown(() => rmSync(dataDir, { recursive: true, force: true }));
  const ids = Array.from({ length: count }, () => uuidv7());
  const file = join(dataDir, 'export');
  await pipeline(Readable.from(linesOf(ids, stored)), createWriteStream(file));
  const bin = join(packageRoot, 'bin', 'scriptd');
  // tap's own options are not for it.
  const command = ['-u', 'NODE_OPTIONS', bin, 'store', 'import', file, '--data-dir', dataDir];
  const { status, stderr } = spawnSync('env', command, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the tasks were not imported: ${stderr}`);
  return { args: ['--data-dir', dataDir], ids };
}

function* linesOf(ids: readonly string[], stored: Stored): Generator<string> {
  yield '{"kind":"store","version":3}\n';
  const beginMs = Date.now() - ids.length - 60_000;
  for (const [index, id] of ids.entries()) {
    const { view, spec } = stored(index);
    const line = {
      kind: 'task',
      view: { ...finished(id, beginMs + index), ...view },
      spec: { code: `echo ${index}`, type: 'bash', ...spec },
      attemptsBefore: 0,
      workerDeaths: 0,
    };
    yield `${JSON.stringify(line, asBase64)}\n`;
  }
}

/** Bytes as exports have them. */
function asBase64(this: unknown, key: string, value: unknown): unknown {
  const original = (this as Record<string, unknown>)[key];
  if (!(original instanceof Uint8Array)) return value;
  return { $base64: Buffer.from(original).toString('base64') };
}

function finished(id: string, createdAt: number): TaskView {
  const startedAt = createdAt + 5;
  const finishedAt = createdAt + 25;
  const worker = 'bash-1';
  return {
    ...{ id, type: 'bash', state: 'finished', outcome: 'success', exitCode: 0 },
    ...{ priority: 0, score: 0, tags: [], network: 'none', worker, durability: 'os' },
    limits: {
      ...{ wallMs: 30_000, cpuMs: 30_000, outputBytes: 4_194_304, diskBytes: 67_108_864 },
      ...{ openFiles: 256, processes: 256 },
    },
    attempt: 1,
    attempts: [{ attempt: 1, worker, startedAt, finishedAt, outcome: 'success' }],
    ...{ createdAt, startedAt, finishedAt },
    stdout: Buffer.from('1\n'),
    stderr: Buffer.alloc(0),
    truncated: { stdout: false, stderr: false },
  };
}

/** A task that was given up: its worker was lost, again and again. */
export function deadLetter(more: Partial<TaskView> = {}): { view: Partial<TaskView> } {
  return {
    view: {
      ...{ outcome: 'network_fail', code: 'WORKER_LOST', deadLetter: true },
      reason: 'The worker was lost while it ran the task, and so it was each time.',
      ...more,
    },
  };
}
