import { constants } from 'node:os';
import { isAbsolute } from 'node:path';
import { getSystemErrorMap } from 'node:util';
import { ScriptdError } from '../errors.js';
import { invariant } from '../invariant.js';
import { loadAddon } from '../native.js';

/** All that a process is started with. */
export interface SpawnPlan {
  /** Absolute path of the executable. */
  file: string;
  /** argv[0] included. */
  argv: readonly string[];
  /** Exactly this; nothing is inherited. */
  env: Readonly<Record<string, string>>;
  /** Absolute path. */
  cwd: string;
  /** 'null' is /dev/null. */
  stdin: 'null' | 'pipe';
  /** What is left out stays as it is for the worker; core dumps are always off. See setrlimit(2). */
  limits: {
    /** SIGXCPU after this many seconds of CPU time, SIGKILL one second later. Per process. */
    cpuSeconds?: number;
    /** SIGXFSZ (or EFBIG) on writing beyond this size. */
    fileSizeBytes?: number;
    /** One more than the highest descriptor number. */
    openFiles?: number;
    /** Of the whole user id, threads included; not enforced for root. */
    processes?: number;
    addressSpaceBytes?: number;
    stackBytes?: number;
  };
}

/**
 * A process that executes its file. The caller owns the descriptors, and the zombie that the process
 * becomes: its number, and that of its group, stay taken until `reap`.
 */
export interface StartedProcess {
  pid: number;
  /** Readable once the process has ended, see pidfd_open(2). */
  pidfd: number;
  /** What is written here the process reads. Non-blocking, like the next two. */
  stdin: number | undefined;
  stdout: number;
  stderr: number;
}

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

/** The addon, as native/sandbox/binding.cc defines it. */
interface Addon {
  start(plan: {
    file: string;
    argv: readonly string[];
    env: readonly string[];
    cwd: string;
    stdinPipe: boolean;
    limits: readonly (readonly [resource: string, soft: number, hard: number])[];
  }): { pid: number; pidfd: number; stdin?: number; stdout: number; stderr: number };
  signalGroup(pid: number, signal: number): boolean;
  reap(pid: number): NativeStatus | undefined;
}

interface NativeStatus {
  /** -1 when a signal ended it. */
  exitCode: number;
  /** 0 when it exited. */
  signal: number;
  userMs: number;
  systemMs: number;
  memoryPeakBytes: number;
}

const addon = loadAddon('sandbox') as Addon;

/** Limits whose hard value is the soft one, by the name that the addon gives the resource. */
const plainLimits = {
  fileSizeBytes: 'fsize',
  openFiles: 'nofile',
  processes: 'nproc',
  addressSpaceBytes: 'as',
  stackBytes: 'stack',
} as const;

const signalNames = namesByNumber(constants.signals);
const errnoNames = namesByNumber(constants.errno);

/**
 * Starts a process in a session and process group of its own, with default signal dispositions,
 * `no_new_privs`, umask 022 and no descriptor but 0, 1 and 2. This thread is suspended until the
 * process has called execve, about a millisecond. A limit above the worker's own hard limit is
 * lowered to that, unless the worker is root.
 *
 * The process is killed when the thread that called this ends, be it a `worker_threads` Worker
 * (PR_SET_PDEATHSIG, prctl(2)): start from a thread that outlives the process.
 *
 * @throws ScriptdError with the name of the errno as code, and the system call that failed: `execve`
 * ENOENT, EACCES, ENOEXEC, E2BIG; `chdir` ENOENT, EACCES; `clone3` EAGAIN; `pipe2` EMFILE; and so
 * on. Nothing is left then. EINVAL without a system call when a string can't be passed on.
 */
export function startProcess(plan: SpawnPlan): StartedProcess {
  const checked = {
    file: checkedPath('file', plan.file),
    argv: plan.argv.map((argument, index) => withoutNul(`argv[${index}]`, argument)),
    env: Object.entries(plan.env).map(([name, value]) => environmentEntry(name, value)),
    cwd: checkedPath('cwd', plan.cwd),
    stdinPipe: plan.stdin === 'pipe',
    limits: resourceLimits(plan.limits),
  };
  invariant(plan.argv.length > 0, 'argv holds at least the name of the program');
  const started = orThrow(
    () => addon.start(checked),
    (syscall) =>
      syscall === 'chdir'
        ? `${plan.file} cannot be started in ${plan.cwd}`
        : `${plan.file} cannot be started`,
  );
  return { ...started, stdin: started.stdin };
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

function checkPid(pid: number): void {
  invariant(Number.isInteger(pid) && pid > 1, `not the pid of a child: ${pid}`);
}

function checkedPath(field: string, path: string): string {
  invariant(isAbsolute(path), `${field} is an absolute path, not ${JSON.stringify(path)}`);
  return withoutNul(field, path);
}

function environmentEntry(name: string, value: string): string {
  if (name === '' || name.includes('=')) {
    throw new ScriptdError('EINVAL', `env: ${JSON.stringify(name)} cannot name a variable`);
  }
  return `${withoutNul('a name in env', name)}=${withoutNul(`env.${name}`, value)}`;
}

/** execve takes strings that end in NUL: the program would see less than it was given. */
function withoutNul(field: string, value: string): string {
  if (!value.includes('\0')) return value;
  throw new ScriptdError('EINVAL', `${field} contains a NUL byte`);
}

function resourceLimits(limits: SpawnPlan['limits']): [string, number, number][] {
  const result: [string, number, number][] = [];
  for (const field of Object.keys(plainLimits) as (keyof typeof plainLimits)[]) {
    const value = limits[field];
    if (value !== undefined) result.push([plainLimits[field], value, value]);
  }
  // A second between the two, for a program that wants to say something on SIGXCPU.
  const seconds = limits.cpuSeconds;
  if (seconds !== undefined) result.push(['cpu', seconds, seconds + 1]);
  for (const [resource, soft] of result) {
    invariant(Number.isSafeInteger(soft) && soft >= 0, `limit ${resource}: ${soft}`);
  }
  return result;
}

/** Calls the addon; what it reports becomes an error that begins with a sentence about the task. */
function orThrow<T>(call: () => T, sentence: (syscall: string) => string): T {
  try {
    return call();
  } catch (cause) {
    if (!(cause instanceof Error && 'syscall' in cause && 'errno' in cause)) throw cause;
    const syscall = String(cause.syscall);
    const errno = Number(cause.errno);
    const code = errnoNames.get(errno) ?? `ERRNO_${errno}`;
    const meaning = getSystemErrorMap().get(-errno)?.[1] ?? 'no description';
    const message = `${sentence(syscall)}: ${syscall} failed with ${code} (${meaning})`;
    throw new ScriptdError(code, message, { syscall, errno, cause });
  }
}

function signalName(signal: number): string {
  // Real-time signals have no name of their own.
  return signalNames.get(signal) ?? `SIG${signal}`;
}

/** Where a number has two names (SIGABRT, SIGIOT) the first is the usual one. */
function namesByNumber(numbers: object): Map<number, string> {
  const names = new Map<number, string>();
  for (const [name, number] of Object.entries(numbers)) {
    if (!names.has(number)) names.set(number, name);
  }
  return names;
}
