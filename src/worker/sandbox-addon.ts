import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';
import { ScriptdError } from '../errors.js';
import { loadAddon } from '../native.js';
import type { NativeBasicPlan } from './basic-plan.js';
import type { StartedProcess } from './spawn-plan.js';

/** What the addon returns of a start. */
export type NativeStarted = Omit<StartedProcess, 'stdin'> & { stdin?: number };

/** The addon, as native/sandbox/binding.cc defines it. */
export interface Addon {
  start(plan: {
    file: string;
    argv: readonly string[];
    env: readonly string[];
    cwd: string;
    stdinPipe: boolean;
    control: 'none' | 'pipe' | 'socket';
    limits: readonly (readonly [resource: string, soft: number, hard: number])[];
    basic?: NativeBasicPlan;
  }): NativeStarted;
  startStrict(plan: {
    init: string;
    inside: Uint8Array;
    readOnly: Uint8Array;
    procs: readonly number[];
    cgroup?: number;
    stdinPipe: boolean;
    control: 'none' | 'pipe';
    ownNetwork: boolean;
    uidMap?: string;
    gidMap?: string;
  }): NativeStarted;
  requestFork(
    requests: number,
    plan: Parameters<Addon['startStrict']>[0],
  ): Omit<NativeStarted, 'pid' | 'pidfd'>;
  openProcess(pid: number): number;
  /** The version of Landlock's interface, or -errno. */
  landlockVersion(): number;
  signalGroup(pid: number, signal: number): boolean;
  reap(pid: number): NativeStatus | undefined;
}

export interface NativeStatus {
  /** -1 when a signal ended it. */
  exitCode: number;
  /** 0 when it exited. */
  signal: number;
  userMs: number;
  systemMs: number;
  memoryPeakBytes: number;
}

export const addon = loadAddon('sandbox') as Addon;

const errnoNames = namesByNumber(constants.errno);

/** Calls the addon; what it reports becomes an error that begins with a sentence about the task. */
export function orThrow<T>(call: () => T, sentence: (syscall: string) => string): T {
  try {
    return call();
  } catch (cause) {
    if (!(cause instanceof Error && 'syscall' in cause && 'errno' in cause)) throw cause;
    const syscall = String(cause.syscall);
    const errno = Number(cause.errno);
    throw systemError(sentence(syscall), { syscall, errno, cause });
  }
}

/**
 * A fault of the world: its code is the name of the errno.
 *
 * @param place of the call, when the name of the call alone does not say it
 */
export function systemError(
  sentence: string,
  { syscall, errno, cause }: { syscall: string; errno: number; cause?: unknown },
  place = syscall,
): ScriptdError {
  const code = errnoName(errno);
  const meaning = getSystemErrorMap().get(-errno)?.[1] ?? 'no description';
  const message = `${sentence}: ${place} failed with ${code} (${meaning})`;
  return new ScriptdError(code, message, { syscall, errno, ...(cause !== undefined && { cause }) });
}

/** E.g. ENOENT of 2. */
export function errnoName(errno: number): string {
  return errnoNames.get(errno) ?? `ERRNO_${errno}`;
}

/** Where a number has two names (SIGABRT, SIGIOT) the first is the usual one. */
export function namesByNumber(numbers: object): Map<number, string> {
  const names = new Map<number, string>();
  for (const [name, number] of Object.entries(numbers)) {
    if (!names.has(number)) names.set(number, name);
  }
  return names;
}
