import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { LmdbStore } from '../../src/store/lmdb/store.js';
import { everyTask, unfinishedIds } from './fixtures.js';

const program = fileURLToPath(new URL('./crash-child.js', import.meta.url));
const order = { pending: 0, running: 1, finished: 2 } as const;
const atLeast: Record<string, number> = { s: 0, c: 1, f: 2 };

/** A process that writes into a store, and what it has acknowledged. */
export class Writer {
  readonly #process: ChildProcess;
  readonly #lines: Interface;
  readonly #exited: Promise<unknown>;

  private constructor(child: ChildProcess, lines: Interface) {
    this.#process = child;
    this.#lines = lines;
    this.#exited = Promise.all([once(child, 'exit'), once(lines, 'close')]);
  }

  /** @param acknowledged by task id, the last that was said of it; goes on being filled */
  static async start(
    directory: string,
    acknowledged: Map<string, string>,
    { durability = 'fsync', command = [] as string[] } = {},
  ): Promise<Writer> {
    const [file = '', ...args] = [...command, process.execPath, program, directory, durability];
    // A group of its own: under strace there are two processes.
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
    const lines = createInterface({ input: child.stdout });
    const writer = new Writer(child, lines);
    await once(lines, 'line');
    lines.on('line', (line) => {
      const [what, id] = line.split(' ');
      // The kill may have cut the last line short.
      if (what && id?.length === 36) acknowledged.set(id, what);
    });
    return writer;
  }

  /** Stops it wherever it is, runs `look`, and lets it go on. */
  async frozen<T>(look: () => T): Promise<T> {
    this.#process.kill('SIGSTOP');
    while (!this.#isStopped()) await sleep(1);
    const value = look();
    this.#process.kill('SIGCONT');
    return value;
  }

  async kill(): Promise<void> {
    const { pid, exitCode, signalCode } = this.#process;
    if (pid !== undefined && exitCode === null && signalCode === null)
      process.kill(-pid, 'SIGKILL');
    await this.#exited;
    this.#lines.close();
  }

  /** Every thread: one may still be in a system call when the process is told to stop. */
  #isStopped(): boolean {
    const tasks = `/proc/${this.#process.pid}/task`;
    return readdirSync(tasks).every((task) =>
      /^State:\s+T/m.test(readFileSync(`${tasks}/${task}/status`, 'utf8')),
    );
  }
}

/** What of the acknowledged a store has not, or not whole. */
export async function lostOf(
  directory: string,
  acknowledged: ReadonlyMap<string, string>,
): Promise<string[]> {
  const store = new LmdbStore({ directory, durability: 'fsync' });
  const unfinished = new Set(await unfinishedIds(store));
  const tasks = await everyTask(store, { limit: 1_000 });
  const known = new Map(tasks.map((view) => [view.id, view]));
  const lost: string[] = [];
  for (const [id, what] of acknowledged) {
    const state = known.get(id)?.state;
    if (!state || order[state] < (atLeast[what] ?? 0)) lost.push(`${id} is ${state}, not ${what}`);
    else if (unfinished.has(id) === (state === 'finished')) lost.push(`${id} is listed wrongly`);
    else if (!(await store.readSpec(id))) lost.push(`${id} has no spec`);
    else if (state === 'finished' && (await store.readView(id))?.stdout?.length !== 2_000) {
      lost.push(`${id} has no result`);
    }
  }
  await store.close();
  return lost;
}
