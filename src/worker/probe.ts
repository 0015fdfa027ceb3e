import { closeSync, readSync } from 'node:fs';
import { errorMessage } from '../errors.js';
import { readStatus, reap, startError } from './process-end.js';
import { startProcess } from './sandbox.js';
import type { SpawnPlan } from './spawn-plan.js';

/** Where the start of a probe ended too early. */
export interface ProbeFailure {
  /** The system call or the step of the sandbox that was refused. */
  step: string;
  /** One sentence, with errno. */
  message: string;
}

/** Where nobody has a program. */
const nothing = '/scriptd-probe/nothing';
/** Only waited on. */
const pause = new Int32Array(new SharedArrayBuffer(4));
/** A step, an errno and a path. */
const statusBytesMax = 8192;

/**
 * Starts a program that is not there, surrounded as the plan says: the start ends at `execve`, when
 * all before it was done. This thread waits for it, a few milliseconds.
 *
 * @returns undefined when it came so far
 */
export function probeStart(
  surroundings: Pick<SpawnPlan, 'strict' | 'basic'>,
): ProbeFailure | undefined {
  const plan: SpawnPlan = {
    ...{ file: nothing, argv: ['nothing'], env: {}, cwd: '/', stdin: 'null' as const },
    ...{ limits: { openFiles: 64 } },
    ...surroundings,
  };
  let failure: ProbeFailure;
  try {
    failure = awaitEnd(startProcess(plan));
  } catch (error) {
    const step = error instanceof Error && 'syscall' in error ? String(error.syscall) : 'start';
    failure = { step, message: errorMessage(error) };
  }
  return failure.step === 'execve' ? undefined : failure;
}

/** Waits for its end, and reads what its first process said. */
function awaitEnd({ pid, ...descriptors }: ReturnType<typeof startProcess>): ProbeFailure {
  const { status } = descriptors;
  const said = Buffer.alloc(statusBytesMax);
  let size = 0;
  try {
    while (reap(pid) === undefined) Atomics.wait(pause, 0, 0, 1);
    if (status !== undefined) size = readSync(status, said);
  } finally {
    for (const fd of Object.values(descriptors)) if (typeof fd === 'number') closeSync(fd);
  }
  const answer = readStatus(said.subarray(0, size));
  if (answer?.kind !== 'failed')
    return { step: 'start', message: 'it was killed while it started' };
  return { step: answer.step, message: startError('the probe', answer).message };
}
