import type { Result } from '../task.js';

/** The result of an attempt that has none of a worker, or none that may be kept. */
export function ownResult(code: 'INTERNAL' | 'START_FAILED', reason: string): Result {
  return {
    ...{ outcome: 'internal_fail', code, reason },
    ...{ stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) },
    truncated: { stdout: false, stderr: false },
    phases: { startMs: 0, runMs: 0, drainMs: 0 },
  };
}
