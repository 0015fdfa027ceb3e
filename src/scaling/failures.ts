import { scalingLimits } from './limits.js';

/** Failures of late, and until when nothing is started because of them. Monotonic milliseconds. */
export interface FailureMemory {
  /** Waits in a row. */
  waits: number;
  notBeforeMs: number;
}

export const noFailures: FailureMemory = { waits: 0, notBeforeMs: Number.NEGATIVE_INFINITY };

/**
 * Many that fail together are one failure, and so are those that fail during its wait.
 *
 * @param proven a worker of the current template has been well for a while: what failed may be its
 *   host, and the wait stays short
 */
export function noteFailures(
  memory: FailureMemory,
  failures: number,
  proven: boolean,
  nowMs: number,
): FailureMemory {
  const { failureWaitMsMin, failureForgetMs } = scalingLimits;
  const waitMsMax = proven ? scalingLimits.provenWaitMsMax : scalingLimits.failureWaitMsMax;
  const notBeforeMs = Math.min(memory.notBeforeMs, nowMs + waitMsMax);
  const forgotten = nowMs >= notBeforeMs + failureForgetMs;
  if (failures === 0) return forgotten ? noFailures : { ...memory, notBeforeMs };
  if (nowMs < notBeforeMs) return { ...memory, notBeforeMs };
  const waits = forgotten ? 1 : memory.waits + 1;
  const waitMs = Math.min(waitMsMax, failureWaitMsMin * 2 ** (waits - 1));
  return { waits, notBeforeMs: nowMs + waitMs };
}
