import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** System calls by name. */
export type Calls = ReadonlyMap<string, number>;

/**
 * Not counted: how often threads meet in the kernel, and how the garbage collector and the allocator
 * move memory, is a matter of time and not of what was done.
 */
const moody = ['futex', 'sched_yield', 'madvise', 'mprotect', 'mmap', 'munmap', 'mremap', 'brk'];
/** What strace interrupts when it attaches, and the kernel begins anew. */
const ofStrace = ['restart_syscall', 'rt_sigreturn'];
const filter = `trace=!${[...moody, ...ofStrace].join(',')}`;

/** Given to strace to attach to every thread. Milliseconds. */
const attachMsMax = 20_000;

/**
 * The system calls that processes make while `work` runs, by the key of each: those of all their
 * threads, and of what they start. Each time `work` calls `mark`, a further piece of it begins; what
 * was before the first is not counted. Waits that ended because their time was over are left out,
 * since how many there are depends on how long the work takes.
 *
 * @throws Error when strace can't attach
 */
export async function callsDuring<Part extends string>(
  pids: Readonly<Record<Part, number>>,
  work: (mark: () => void) => Promise<void>,
): Promise<Record<Part, Calls[]>> {
  const folder = mkdtempSync(join(tmpdir(), 'scriptd-guard-'));
  const traces: { part: Part; file: string; detach: () => Promise<void> }[] = [];
  const marks: number[] = [];
  try {
    try {
      for (const [part, pid] of Object.entries<number>(pids) as [Part, number][]) {
        const file = join(folder, part);
        traces.push({ part, file, detach: await attach(pid, file) });
      }
      await work(() => marks.push(Date.now() / 1000));
    } finally {
      for (const { detach } of traces) await detach();
    }
    const counted = traces.map(({ part, file }) => {
      return [part, countCalls(readFileSync(file, 'latin1'), marks)];
    });
    return Object.fromEntries(counted) as Record<Part, Calls[]>;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Begins to trace a process into the file. */
async function attach(pid: number, file: string): Promise<() => Promise<void>> {
  const shown = ['-f', '-ttt', '-e', filter, '-s', '0'];
  const strace = spawn('strace', [...shown, '-o', file, '-p', `${pid}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const gone = once(strace, 'exit');
  const said: string[] = [];
  const lines = createInterface(strace.stderr);
  const attached = new Promise<void>((resolve, reject) => {
    const refuse = () => reject(new Error(`strace did not attach to ${pid}: ${said.join('; ')}`));
    const late = setTimeout(refuse, attachMsMax);
    lines.on('line', (line) => {
      said.push(line);
      if (!line.includes(`Process ${pid} attached`)) return;
      clearTimeout(late);
      resolve();
    });
    gone.then(refuse, reject);
  });
  await attached;
  return async () => {
    strace.kill('SIGINT');
    await gone;
  };
}

/**
 * Reads what strace wrote with -f, -ttt and -o: `PID SECONDS name(…) = result`, or that in two lines.
 *
 * @param marks seconds since 1970-01-01 UTC, ascending: where each piece begins
 */
export function countCalls(trace: string, marks: readonly number[]): Calls[] {
  const pieces = marks.map(() => new Map<string, number>());
  for (const line of trace.split('\n')) {
    const [, seconds, resumed, name] = /^\d+ +([\d.]+) (<\.\.\. )?(\w+)[( ]/.exec(line) ?? [];
    if (name === undefined) continue;
    const isWait = /^epoll_p?wait2?$|^p?poll$|^p?select6?$/.test(name);
    const counts = isWait ? / = [1-9]/.test(line) : resumed === undefined;
    const piece = pieces[marks.findLastIndex((mark) => mark <= Number(seconds))];
    if (counts && piece) piece.set(name, (piece.get(name) ?? 0) + 1);
  }
  return pieces;
}

/** How many calls these are, without those of the names. */
export function totalOf(calls: Calls, without: ReadonlySet<string> = new Set()): number {
  return [...calls].reduce((sum, [name, count]) => sum + (without.has(name) ? 0 : count), 0);
}
