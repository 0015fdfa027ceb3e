/** How long to wait before the next attempt. Durations in milliseconds. */
export interface RetryPolicy {
  /** Bound of the first wait. */
  baseMs: number;
  /** Bound of every wait. */
  capMs: number;
}

export const defaultRetryPolicy: RetryPolicy = { baseMs: 200, capMs: 30_000 };

/**
 * Exponential backoff with full jitter: evenly distributed over [0, min(cap, base × 2^(attempt-1))).
 *
 * @param attempt number of the attempt that failed, from 1
 * @param random evenly distributed over [0, 1)
 * Source: Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 */
export function retryDelayMs(policy: RetryPolicy, attempt: number, random: () => number): number {
  return random() * Math.min(policy.capMs, policy.baseMs * 2 ** (attempt - 1));
}
