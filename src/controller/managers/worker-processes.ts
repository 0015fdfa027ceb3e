import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { errorCode } from '../../errors.js';
import type { WorkerPlace } from '../manager.js';

/** Worker processes of this host, whoever started them: as /proc shows them. */

export function exited(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once('exit', () => resolve()));
}

/** Of workers that were told to listen at that place. */
export function pidsAt(place: WorkerPlace): number[] {
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  return pids.filter((pid) => isWorkerAt(pid, place));
}

/** Whether this process is a worker that was told to listen at that place. */
function isWorkerAt(pid: number, { address }: WorkerPlace): boolean {
  if (address.kind !== 'unix') return false;
  try {
    const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return args.includes('worker') && args.includes(`--listen=unix:${address.path}`);
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ESRCH') return false;
    throw error;
  }
}

/** Waits until the worker has ended, and ends it when the time is over. */
export async function finishWorker(pid: number, endsAtMs: number): Promise<void> {
  while (isWorker(pid) && performance.now() < endsAtMs) await delay(lookAgainMs);
  if (isWorker(pid)) killIfThere(pid);
}

/** Between two looks at a process that is no child. */
const lookAgainMs = 10;

/** False when it has ended, a zombie included, or its number is another's by now. */
function isWorker(pid: number): boolean {
  const path = `/proc/${pid}/cmdline`;
  try {
    return readFileSync(path, 'latin1').split('\0').includes('worker');
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ESRCH') return false;
    throw error;
  }
}

export function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error;
  }
}
