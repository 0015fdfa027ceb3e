import { readdirSync, readFileSync } from 'node:fs';

/** A live process. */
export interface RunningProcess {
  pid: number;
  parentPid: number;
  /** Arguments, joined with blanks. */
  command: string;
}

/** All live processes that have the folder in their command line or environment. Source: proc(5) */
export function processesOf(folder: string): RunningProcess[] {
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) return [];
    const command = read(pid, 'cmdline').replaceAll('\0', ' ');
    if (!command.includes(folder) && !read(pid, 'environ').includes(folder)) return [];
    // After the name, which is in parentheses and may hold anything.
    const [, parent] = read(pid, 'stat').split(') ').at(-1)?.split(' ') ?? [];
    return [{ pid, parentPid: Number(parent), command }];
  });
}

/** Empty when the process is gone by now. */
function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

/** Sends a signal to a process that may have ended meanwhile. False: it has. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
