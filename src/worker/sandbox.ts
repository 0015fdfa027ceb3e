import { closeSync, readSync } from 'node:fs';
import { constants } from 'node:os';
import { isAbsolute } from 'node:path';
import { getSystemErrorMap } from 'node:util';
import { ScriptdError } from '../errors.js';
import { invariant } from '../invariant.js';
import { initExecutable, loadAddon } from '../native.js';
import { type BasicPlan, type NativeBasicPlan, nativeBasicPlan } from './basic-plan.js';
import { checkFileName, type InputFile } from './program.js';
import {
  type Capacity,
  encodeInsidePlan,
  encodeReadOnly,
  type ReadOnlyPath,
} from './sandbox-plan.js';
import type { TaskFrame } from './task-frame.js';

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
  /** The process has the reading end of a pipe as descriptor 3, for a task frame (task-frame.ts). */
  control?: boolean;
  /** What level basic adds to a plain start: seccomp, landlock, no capability. Not with `strict`. */
  basic?: BasicPlan;
  /** Everything that the sandbox has; without it the process sees what the worker sees. */
  strict?: StrictPlan;
}

/** A start in namespaces of its own, on a root of its own. The script is in /work, whatever `cwd`. */
export interface StrictPlan {
  /**
   * The script's ids: on the host when the worker is root, else within the user namespace, where
   * they stand for the worker's own.
   */
  uid: number;
  gid: number;
  /**
   * Absolute paths of the host that are there too, read-only with all that is mounted below: at the
   * same place, where a symbolic link is made anew, or at another, for which it is followed. What a
   * later one has in an earlier one is kept. The list is not changed afterwards: what it leads to is
   * kept for further starts with the same (native/sandbox/root_templates.h).
   */
  readOnly: readonly (string | ReadOnlyPath)[];
  /** /work, where the input files count too. */
  directory: Capacity;
  /** /tmp */
  tmp: Capacity;
  /** /dev/shm */
  shm: Capacity;
  /** Written into /work. */
  files: readonly InputFile[];
  /** 'none' has a loopback that is down. */
  network: 'none' | 'host';
  /** Descriptors of the caller, who also closes them. */
  cgroup: {
    /** A directory of cgroup v2. */
    v2Directory?: number;
    /** Files cgroup.procs of cgroup v1, open for writing. */
    v1Procs?: readonly number[];
  };
  /** 'if-available' goes without on a kernel that has none. */
  landlock: 'require' | 'if-available';
  /**
   * Everything is prepared, and then the first process reads a task frame from the control pipe,
   * until its end: argv, env, limits and files are those of the frame. The script does not get the
   * pipe. Without effect unless the plan has `control`.
   */
  waits?: boolean;
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
  /**
   * Of a strict start, whose `pid` and `pidfd` are those of the first process in the namespace: what
   * comes out until its end is for `readStatus`. A socket, the caller's, non-blocking.
   */
  status?: number;
  /** The writing end of the control pipe, if the plan has one; non-blocking. */
  control?: number;
}

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

/** What the addon returns of a start. */
type NativeStarted = Omit<StartedProcess, 'stdin'> & { stdin?: number };

/** The addon, as native/sandbox/binding.cc defines it. */
interface Addon {
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

/** As in asm-generic/resource.h, which both architectures use. */
const resourceNumbers: Readonly<Record<string, number>> = {
  cpu: 0,
  fsize: 1,
  stack: 3,
  nproc: 6,
  nofile: 7,
  as: 9,
};

/** Only waited on. */
const pause = new Int32Array(new SharedArrayBuffer(4));

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
  const checked = checkedPlan(plan);
  if (plan.strict !== undefined) return startStrict(plan.strict, checked);
  return startPlain(checked);
}

type CheckedPlan = Parameters<Addon['start']>[0];

function checkedPlan(plan: SpawnPlan): CheckedPlan & { control: 'none' | 'pipe' } {
  invariant(plan.argv.length > 0, 'argv holds at least the name of the program');
  return {
    file: checkedPath('file', plan.file),
    argv: plan.argv.map((argument, index) => withoutNul(`argv[${index}]`, argument)),
    env: Object.entries(plan.env).map(([name, value]) => environmentEntry(name, value)),
    cwd: checkedPath('cwd', plan.cwd),
    stdinPipe: plan.stdin === 'pipe',
    control: plan.control ? 'pipe' : 'none',
    limits: resourceLimits(plan.limits),
    ...(plan.basic && { basic: nativeBasicPlan(plan.basic) }),
  };
}

function startPlain(plan: CheckedPlan): StartedProcess {
  const started = orThrow(
    () => addon.start(plan),
    (syscall) =>
      syscall === 'chdir'
        ? `${plan.file} cannot be started in ${plan.cwd}`
        : `${plan.file} cannot be started`,
  );
  return { ...started, stdin: started.stdin };
}

/**
 * The namespaces are made by the clone, so that a failure of theirs is thrown, with `clone3` as its
 * system call: EPERM where they are not allowed. What scriptd-init does is told by the status.
 */
function startStrict(strict: StrictPlan, plan: ReturnType<typeof checkedPlan>): StartedProcess {
  const native = nativePlan(strict, plan);
  const started = orThrow(
    () => addon.startStrict(native),
    () => `the sandbox for ${plan.file} cannot be started`,
  );
  return { ...started, stdin: started.stdin };
}

function nativePlan(
  strict: StrictPlan,
  plan: ReturnType<typeof checkedPlan>,
): Parameters<Addon['startStrict']>[0] {
  const { uid, gid } = hostIds();
  const { v1Procs: procs = [], v2Directory: cgroup } = strict.cgroup;
  const readOnly = readOnlyBytes(strict.readOnly);
  return {
    ...{ init: initExecutable(), inside: insidePlan(strict, plan, readOnly), readOnly, procs },
    ...{ stdinPipe: plan.stdinPipe, control: plan.control },
    ownNetwork: strict.network === 'none',
    ...(cgroup !== undefined && { cgroup }),
    ...(uid !== 0 && { uidMap: `${strict.uid} ${uid} 1`, gidMap: `${strict.gid} ${gid} 1` }),
  };
}

function hostIds(): { uid: number; gid: number } {
  return { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
}

/** The plan as the first process of the sandbox reads it. */
function insidePlan(strict: StrictPlan, plan: CheckedPlan, readOnly: Uint8Array): Uint8Array {
  const { uid, gid, directory, tmp, shm, files, cgroup } = strict;
  for (const { name } of files) checkFileName(name);
  for (const value of [directory, tmp, shm].flatMap(({ bytes, inodes }) => [bytes, inodes])) {
    invariant(Number.isSafeInteger(value) && value >= 0, `capacity ${value}`);
  }
  return encodeInsidePlan({
    ...{ uid, gid, directory, tmp, shm, readOnly, files, procs: cgroup.v1Procs ?? [] },
    ...{ file: plan.file, argv: plan.argv, env: plan.env, limits: numbered(plan.limits) },
    ownUserNamespace: hostIds().uid !== 0,
    requireLandlock: strict.landlock === 'require',
    ownNetwork: strict.network === 'none',
    waits: strict.waits === true && plan.control === 'pipe',
  });
}

/** A worker has the same list in all its plans. */
const encodedReadOnly = new WeakMap<StrictPlan['readOnly'], Uint8Array>();

function readOnlyBytes(list: StrictPlan['readOnly']): Uint8Array {
  const known = encodedReadOnly.get(list);
  if (known) return known;
  const paths = list.map((path) =>
    typeof path === 'string' ? { source: path, target: path } : path,
  );
  for (const { source, target } of paths) {
    checkedPath('readOnly', source);
    checkedPath('readOnly', target);
  }
  const bytes = encodeReadOnly(paths);
  encodedReadOnly.set(list, bytes);
  return bytes;
}

/** Limits as task frames and plans have them. */
function numbered(limits: CheckedPlan['limits']): TaskFrame['limits'] {
  return limits.map(([name, soft, hard]) => [resourceNumbers[name] ?? 0, soft, hard]);
}

/**
 * Starts a process that calls `scriptd_serve(3)` of the shared library (native/sandbox/server/serve.h),
 * outside of any sandbox; the rest is as for `startProcess`. `requests` is our end of its socket, the
 * caller's and non-blocking: give it to `requestFork`, and what comes out, in pieces of
 * `forkReplyBytes`, to `readForkReply`. The server ends when it is closed.
 */
export function startForkServer(plan: SpawnPlan): StartedProcess & { requests: number } {
  invariant(plan.strict === undefined, 'a fork server is in no sandbox');
  const { control, ...started } = startPlain({ ...checkedPlan(plan), control: 'socket' });
  invariant(control !== undefined, 'a plan with a socket has one');
  return { ...started, requests: control };
}

/** A process that a fork server was asked for; all descriptors are the caller's. */
export interface ForkRequest {
  stdin: number | undefined;
  stdout: number;
  stderr: number;
  status: number;
  control: number;
}

/**
 * Asks a fork server for a process in the sandbox of `plan`, which has one. The server's own program
 * goes on in it, with the control pipe as descriptor 3; so argv and env of the plan are not used, and
 * what is to be done comes in a task frame. It becomes a child of this thread.
 *
 * @throws ScriptdError EAGAIN when the server has more requests than the socket holds, EPIPE when it
 * is gone, EMFILE.
 */
export function requestFork(requests: number, plan: SpawnPlan): ForkRequest {
  const { strict } = plan;
  invariant(strict !== undefined, 'what a fork server makes is in a sandbox');
  invariant(!strict.waits, 'a forked process reads its task frame itself');
  const native = nativePlan(strict, checkedPlan({ ...plan, control: true }));
  const { stdin, stdout, stderr, status, control } = orThrow(
    () => addon.requestFork(requests, native),
    () => 'the fork server cannot be asked for a process',
  );
  invariant(status !== undefined && control !== undefined, 'a forked process has both');
  return { stdin, stdout, stderr, status, control };
}

/** What a reply to a request takes. */
export const forkReplyBytes = 8;

/** One reply of a fork server; they come in the order of the requests. */
export function readForkReply(bytes: Uint8Array): { pid: number } | { errno: number } {
  invariant(bytes.length === forkReplyBytes, `a reply has ${forkReplyBytes} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [pid, errno] = [view.getInt32(0, true), view.getInt32(4, true)];
  return pid > 0 ? { pid } : { errno };
}

/**
 * A pidfd of a process that a fork server made for us: our child, whose number stays taken until
 * `reap`. The caller's.
 *
 * @throws ScriptdError EMFILE, ESRCH
 */
export function openForked(pid: number): number {
  checkPid(pid);
  return orThrow(
    () => addon.openProcess(pid),
    () => `process ${pid} cannot be watched`,
  );
}

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
  const code = errnoNames.get(errno) ?? `ERRNO_${errno}`;
  const meaning = getSystemErrorMap().get(-errno)?.[1] ?? 'no description';
  const place = detail === '' ? step : `${step} (${detail})`;
  const message = `${file} cannot be started: ${place} failed with ${code} (${meaning})`;
  return new ScriptdError(code, message, { syscall: step, errno });
}

/** One wall of the sandbox, and whether this host can build it. */
export interface LayerReport {
  name: 'namespaces' | 'landlock';
  available: boolean;
  /** Which version there is; or why not, and the cure. */
  detail: string;
}

/**
 * Which layers a strict start would have, found out by making one. That takes a few milliseconds in
 * which this thread waits: call it once.
 */
export function supportedLayers(): LayerReport[] {
  return [namespacesReport(), landlockReport()];
}

/** mount, pid, net, ipc, uts and, for an ordinary user, user namespaces. */
function namespacesReport(): LayerReport {
  const name = 'namespaces';
  const capacity = { bytes: 4096, inodes: 8 };
  const nothing = { readOnly: [], files: [], network: 'none', cgroup: {} } as const;
  try {
    const { pid, pidfd, stdout, stderr, status } = startProcess({
      ...{ file: '/nothing', argv: ['nothing'], env: {}, cwd: '/', stdin: 'null', limits: {} },
      strict: {
        ...{ ...nothing, uid: 65534, gid: 65534, landlock: 'if-available' },
        ...{ directory: capacity, tmp: capacity, shm: capacity },
      },
    });
    const said = Buffer.alloc(1024);
    let size = 0;
    try {
      while (addon.reap(pid) === undefined) Atomics.wait(pause, 0, 0, 1);
      size = readSync(status ?? -1, said);
    } finally {
      for (const fd of [pidfd, stdout, stderr, status ?? -1]) closeSync(fd);
    }
    const failed = readStatus(said.subarray(0, size));
    // Everything else was done by then: there is no such program.
    if (failed?.kind === 'failed' && failed.step === 'execve') {
      return { name, available: true, detail: 'pid, mount, net, ipc, uts, cgroup; seccomp' };
    }
    const step =
      failed?.kind === 'failed' ? startError('a probe', failed).message : 'it was killed';
    return { name, available: false, detail: step };
  } catch (error) {
    const cure =
      'run as root, or allow user namespaces (sysctl user.max_user_namespaces, ' +
      'kernel.apparmor_restrict_unprivileged_userns=0); in a container: --cap-add SYS_ADMIN ' +
      '--security-opt seccomp=unconfined';
    return { name, available: false, detail: `${(error as Error).message}: ${cure}` };
  }
}

function landlockReport(): LayerReport {
  const version = addon.landlockVersion();
  const detail =
    version > 0
      ? `version ${version}`
      : `${errnoNames.get(-version) ?? version}: needs Linux 5.13 with landlock in the lsm= list`;
  return { name: 'landlock', available: version > 0, detail };
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

/** Limits as a task frame has them. @throws InvariantError when one is no whole number */
export function frameLimits(limits: SpawnPlan['limits']): TaskFrame['limits'] {
  return numbered(resourceLimits(limits));
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
