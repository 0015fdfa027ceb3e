import {
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { v7 as uuidv7 } from 'uuid';
import type { Clock } from '../../src/clock.js';
import { LmdbStore, type LmdbStoreOptions } from '../../src/store/lmdb/store.js';
import type { Completion, Submission, TaskQuery, TaskStore } from '../../src/store/port.js';
import type { Result, TaskSpec, TaskView } from '../../src/task.js';

const limits = {
  wallMs: 1000,
  cpuMs: 1000,
  outputBytes: 1024,
  diskBytes: 1024,
  openFiles: 64,
  processes: 8,
};

/** A task as the controller submits it. */
export function submission(
  view: Partial<TaskView> = {},
  spec: Partial<TaskSpec> = {},
  durability: TaskView['durability'] = 'memory',
): Submission {
  return {
    view: {
      id: uuidv7(),
      type: 'noop',
      state: 'pending',
      priority: 0,
      score: 0,
      tags: [],
      limits,
      network: 'none',
      attempt: 0,
      attempts: [],
      createdAt: 1_000,
      durability,
      ...view,
    },
    spec: { code: 'print(1)', ...spec },
  };
}

export function result(stdout = 'out'): Result {
  return {
    outcome: 'success',
    exitCode: 0,
    stdout: Buffer.from(stdout),
    stderr: Buffer.from('err'),
    truncated: { stdout: false, stderr: false },
    phases: { startMs: 1, runMs: 2, drainMs: 3 },
  };
}

export function success(taskId: string, finishedAt = 3_000, stdout = 'out'): Completion {
  const ending = { outcome: 'success', result: result(stdout) } as const;
  return { taskId, attempt: undefined, ending, finishedAt, timeline: undefined };
}

/** The same bytes, whatever class they have. */
export function plain<T>(value: T): unknown {
  return JSON.parse(JSON.stringify(value, asText));
}

function asText(this: unknown, key: string, value: unknown): unknown {
  // JSON.stringify asks toJSON of a Buffer first.
  const original = (this as Record<string, unknown>)[key];
  return original instanceof Uint8Array ? Buffer.from(original).toString('base64') : value;
}

export async function unfinishedIds(store: TaskStore): Promise<string[]> {
  const ids: string[] = [];
  for await (const chunk of store.unfinished()) ids.push(...chunk.map(({ id }) => id));
  return ids;
}

/** All pages of a query. */
export async function everyTask(store: TaskStore, query: TaskQuery): Promise<TaskView[]> {
  const tasks: TaskView[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.query({ ...query, ...(cursor !== undefined && { cursor }) });
    tasks.push(...page.tasks);
    cursor = page.next;
  } while (cursor !== undefined);
  return tasks;
}

/** A folder that goes with the test. */
export function temporaryFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'scriptd-store-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A store in a folder that goes with the test, and that can be opened again. */
export function lmdbStore(t: Test, options: Partial<LmdbStoreOptions> = {}) {
  const directory = options.directory ?? join(temporaryFolder(t), 'store');
  const open = () => {
    const store = new LmdbStore({ durability: 'fsync', ...options, directory });
    t.teardown(() => store.close());
    return store;
  };
  return { directory, open };
}

/** A clock that stands where it is put. */
export class HandClock implements Clock {
  nowMs = 0;

  monotonicMs(): number {
    return this.nowMs;
  }

  wallMs(): number {
    return this.nowMs;
  }
}

/** The files of a store's journal. */
export function journalsOf(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.startsWith('journal-'));
}

/** Submits tasks until they go into the store's journal: its files are made off the event loop. */
export async function useJournal(store: TaskStore, directory: string): Promise<void> {
  const anyUsed = () => journalsOf(directory).some((name) => isUsed(join(directory, name)));
  // The newest epoch's: another process may have left its own.
  while (journalsOf(directory).length < 2 || !anyUsed()) {
    await store.submit([submission()]);
  }
}

/** Whether there is a record in a file of a journal. */
export function isUsed(path: string): boolean {
  return readFileSync(path).subarray(0, 4).some(Boolean);
}

/** A copy of a store as a crash at this moment would leave it. */
export function crashed(t: Test, directory: string): string {
  const copy = temporaryFolder(t);
  for (const name of readdirSync(directory)) {
    if (name !== 'lock.mdb') copyFileSync(join(directory, name), join(copy, name));
  }
  return copy;
}

/** Makes a file that leaves no room on its file system. */
export function fill(path: string): void {
  const descriptor = openSync(path, 'w');
  const bytes = Buffer.alloc(4_096);
  try {
    for (;;) writeSync(descriptor, bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(descriptor);
  }
}
