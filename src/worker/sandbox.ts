import { isAbsolute } from 'node:path';
import { ScriptdError } from '../errors.js';
import { invariant } from '../invariant.js';
import { initExecutable } from '../native.js';
import { nativeBasicPlan } from './basic-plan.js';
import { checkFileName } from './program.js';
import { numbered, resourceLimits } from './resource-limits.js';
import { type Addon, addon, orThrow } from './sandbox-addon.js';
import { encodeInsidePlan, encodeReadOnly } from './sandbox-plan.js';
import type { SpawnPlan, StartedProcess, StrictPlan } from './spawn-plan.js';

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

export function checkedPlan(plan: SpawnPlan): CheckedPlan & { control: 'none' | 'pipe' } {
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

export function startPlain(plan: CheckedPlan): StartedProcess {
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

export function nativePlan(
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
