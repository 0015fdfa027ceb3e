import { readdirSync } from 'node:fs';
import { constants } from 'node:os';
import { errorCode, type ScriptdError } from '../errors.js';
import { invariant } from '../invariant.js';
import { addon, namesByNumber, orThrow, systemError } from './sandbox-addon.js';

/** What the first process of a strict start said. */
export type StartStatus =
  /** The script was not started. `detail` is the path that the step was about, or empty. */
  | { kind: 'failed'; step: string; errno: number; detail: string }
  /** The script ended: one of the two is there. */
  | { kind: 'ended'; exitCode?: number; signal?: string };

/** How a process ended and what it used. */
export interface ExitStatus {
  /** Undefined when a signal ended it. */
  exitCode: number | undefined;
  /** E.g. 'SIGKILL'; undefined when it exited by itself, whatever the code. */
  signal: string | undefined;
  /** CPU time of the process and of the children that it waited for. */
  userMs: number;
  systemMs: number;
  /**
   * Largest resident set of the process or of a child that it waited for. Linux counts in the memory
   * that a process had before execve, which is the worker's own: a smaller peak is not seen.
   */
  memoryPeakBytes: number;
}

const signalNames = namesByNumber(constants.signals);

/**
 * What the bytes of a status socket say, all that came until its end; undefined when the first
 * process of the namespace was killed before it could tell. What follows is left unread.
 */
export function readStatus(bytes: Uint8Array): StartStatus | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < 5) return undefined;
  const number = buffer.readInt32LE(1);
  if (buffer[0] === 0x46 /* F */) {
    const [step = '', detail = ''] = buffer.toString('utf8', 5).split('\0');
    return { kind: 'failed', step, errno: number, detail };
  }
  // As wait(2) encodes it.
  const signal = number & 0x7f;
  if (signal !== 0) return { kind: 'ended', signal: signalName(signal) };
  return { kind: 'ended', exitCode: (number >> 8) & 0xff };
}

/** What a failed start becomes: an error with the name of the errno, and the step as system call. */
export function startError(
  file: string,
  { step, errno, detail }: Extract<StartStatus, { kind: 'failed' }>,
): ScriptdError {
  const place = detail === '' ? step : `${step} (${detail})`;
  return systemError(`${file} cannot be started`, { syscall: step, errno }, place);
}

/**
 * Sends a signal to the process that `startProcess` returned and to all of its group. False when
 * nobody is left; a zombie still counts as somebody, so until `reap` this never meets a stranger.
 *
 * @throws ScriptdError EPERM when none of them may be signalled.
 */
export function signalGroup(pid: number, signal: number): boolean {
  // kill(2) takes 0 for our own group and -1 for everything that we may signal.
  checkPid(pid);
  return orThrow(
    () => addon.signalGroup(pid, signal),
    () => `process group ${pid} cannot be signalled`,
  );
}

/**
 * Takes the exit status of an ended process and frees its number; undefined while it still runs.
 *
 * @throws ScriptdError ECHILD when it is no child of ours, or was reaped before.
 */
export function reap(pid: number): ExitStatus | undefined {
  checkPid(pid);
  const status = orThrow(
    () => addon.reap(pid),
    () => `process ${pid} cannot be waited for`,
  );
  if (status === undefined) return undefined;
  const { exitCode, signal, userMs, systemMs, memoryPeakBytes } = status;
  return {
    exitCode: signal === 0 ? exitCode : undefined,
    signal: signal === 0 ? undefined : signalName(signal),
    userMs,
    systemMs,
    memoryPeakBytes,
  };
}

/**
 * Waits for threads of a child that was killed. Nobody but a tracer has to, and a thread can make its
 * parent that without being asked (ptrace(2), PTRACE_TRACEME): until then its process does not end.
 */
export function reapThreads(pid: number): void {
  let threads: string[];
  try {
    threads = readdirSync(`/proc/${pid}/task`);
  } catch {
    return; // it is gone
  }
  for (const thread of threads.map(Number)) {
    if (thread === pid) continue;
    try {
      reap(thread);
    } catch (error) {
      // Not traced by this worker.
      if (errorCode(error) !== 'ECHILD') throw error;
    }
  }
}

/** Not a number that kill(2) or wait(2) take for more than one process. */
export function checkPid(pid: number): void {
  invariant(Number.isInteger(pid) && pid > 1, `not the pid of a child: ${pid}`);
}

function signalName(signal: number): string {
  // Real-time signals have no name of their own.
  return signalNames.get(signal) ?? `SIG${signal}`;
}
