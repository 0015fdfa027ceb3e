import type { Exception, Limits, Result } from '../task.js';
import type { Capture } from './capture.js';
import { memoryLimit } from './cgroup/account.js';
import type { CgroupUsage } from './cgroup/cgroup.js';
import { type HandedBack, inResult } from './handed-back.js';
import { workerLimits } from './limits.js';
import type { ExitStatus, StartStatus } from './process-end.js';
import type { ProcessRuntime } from './runtimes/runtime.js';
import type { Cause } from './termination.js';
import { internalFault, judge, type Raised, type Verdict } from './verdict.js';

/** All that one run left, from which its result is made. Times on the worker's monotonic clock. */
export interface Remains {
  runtime: ProcessRuntime;
  limits: Limits;
  receivedAtMs: number;
  /** Absent when no process ran. `reaped` is absent when it could not be, or was not yet. */
  run: { startedAtMs: number; exitedAtMs: number; reaped: ExitStatus | undefined } | undefined;
  /** What its init said. */
  said: StartStatus | undefined;
  /** What its cgroup counted. */
  group: CgroupUsage | undefined;
  handedBack: HandedBack;
  stdout: Capture;
  stderr: Capture;
  cause: Cause | undefined;
}

/**
 * The result of a run.
 *
 * @param given the verdict, when there was no run to judge
 * @param onFault told of an error of ours in judging it
 */
export function resultOf(
  remains: Remains,
  given: Verdict | undefined,
  nowMs: number,
  onFault: (error: unknown) => void,
): Result {
  const { run, said, group, limits, receivedAtMs, handedBack } = remains;
  const exitedAtMs = run?.exitedAtMs ?? nowMs;
  const startedAtMs = run?.startedAtMs ?? nowMs;
  const runMs = exitedAtMs - startedAtMs;
  const reaped = run?.reaped;
  const status = said?.kind === 'ended' ? said : reaped;
  const cpuMs = group?.cpuMs ?? (reaped ? reaped.userMs + reaped.systemMs : 0);
  const stdout = remains.stdout.finish();
  const stderr = remains.stderr.finish();
  let verdict = given;
  if (!verdict) {
    try {
      verdict = judge({
        cause: remains.cause,
        exitCode: status?.exitCode,
        signal: status?.signal,
        raised: raisedIn(remains.runtime, status?.exitCode, handedBack.exception, stderr.bytes),
        runMs,
        startMs: startedAtMs - receivedAtMs,
        cpuMs,
        outputBytes: { stdout: remains.stdout.seenBytes, stderr: remains.stderr.seenBytes },
        limits,
        ...(group && { group: { ...group, memoryBytes: memoryLimit(limits) } }),
      });
    } catch (error) {
      onFault(error);
    }
  }
  return {
    ...(verdict ?? internalFault('its end could not be judged')),
    ...(status?.exitCode === undefined ? {} : { exitCode: status.exitCode }),
    ...(status?.signal === undefined ? {} : { signal: status.signal }),
    stdout: stdout.bytes,
    stderr: stderr.bytes,
    truncated: { stdout: stdout.truncated, stderr: stderr.truncated },
    ...inResult(handedBack),
    ...((group ?? reaped) && {
      usage: {
        wallMs: runMs,
        cpuMs,
        memoryPeakBytes: group?.memoryPeakBytes ?? reaped?.memoryPeakBytes ?? 0,
        ...(group && { processesPeak: group.processesPeak }),
      },
    }),
    phases: { startMs: startedAtMs - receivedAtMs, runMs, drainMs: nowMs - exitedAtMs },
  };
}

/** The exception that ended it: as its bootstrap reported it, or as its stderr ends. */
function raisedIn(
  runtime: ProcessRuntime,
  exitCode: number | undefined,
  exception: Exception | undefined,
  stderr: Buffer,
): Raised | undefined {
  if (exitCode === undefined || exitCode !== runtime.raisedExitCode) return undefined;
  if (!exception) return runtime.raised?.(stderr.subarray(-workerLimits.reportBytesMax).toString());
  const { type, message, frames } = exception;
  const line = frames.findLast(({ file }) => file === runtime.scriptName)?.line;
  return { message, ...(type && { type }), ...(line !== undefined && { line }) };
}
