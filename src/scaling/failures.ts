import { scalingLimits } from './limits.js';

/** Failures of late, and until when nothing is started because of them. Monotonic milliseconds. */
export interface FailureMemory {
  /** Waits in a row. */
  waits: number;
  notBeforeMs: number;
}

export const noFailures: FailureMemory = { waits: 0, notBeforeMs: Number.NEGATIVE_INFINITY };

/** Many that fail together are one failure, and so are those that fail during its wait. */
export function noteFailures(
  memory: FailureMemory,
  failures: number,
  nowMs: number,
): FailureMemory {
  const { failureWaitMsMin, failureWaitMsMax, failureForgetMs } = scalingLimits;
  const forgotten = nowMs >= memory.notBeforeMs + failureForgetMs;
  if (failures === 0) return forgotten ? noFailures : memory;
  if (nowMs < memory.notBeforeMs) return memory;
  const waits = forgotten ? 1 : memory.waits + 1;
  const waitMs = Math.min(failureWaitMsMax, failureWaitMsMin * 2 ** (waits - 1));
  return { waits, notBeforeMs: nowMs + waitMs };
}
