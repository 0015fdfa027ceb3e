import { limits } from '../limits.js';
import type { Retry } from '../task.js';
import { isRetriedByDefault, type Outcome } from '../verdict.js';

/** Outcomes that a task may ask to be tried again. */
type Asked = NonNullable<Retry['on']>[number];

/** Whether and when a failed attempt is followed by another. Durations in milliseconds. */
export interface RetryPolicy {
  /** The first included; of those that count. */
  maxAttempts: number;
  /** Outcomes that are tried again, beside network_fail and internal_fail. */
  on: readonly Asked[];
  /** Bound of the first wait. */
  baseMs: number;
  /** Bound of every wait. */
  capMs: number;
}

export const defaultRetryPolicy: RetryPolicy = {
  maxAttempts: limits.attemptsDefault,
  on: [],
  baseMs: 200,
  capMs: 30_000,
};

/** What the task asks for, over what its type gives, over what is built in. */
export function retryPolicyOf(task: Retry = {}, type: Retry = {}): RetryPolicy {
  return {
    maxAttempts: task.maxAttempts ?? type.maxAttempts ?? defaultRetryPolicy.maxAttempts,
    on: task.on ?? type.on ?? defaultRetryPolicy.on,
    baseMs: task.baseMs ?? type.baseMs ?? defaultRetryPolicy.baseMs,
    capMs: task.capMs ?? type.capMs ?? defaultRetryPolicy.capMs,
  };
}

const bits: Record<Asked, number> = { runtime_error: 1, format_error: 2 };

/** `on` as a number. */
export function retryBits(on: readonly Asked[]): number {
  return on.reduce((all, outcome) => all | bits[outcome], 0);
}

/** True when an attempt that ended so may be followed by another. */
export function isRetried(outcome: Outcome, onBits: number): boolean {
  if (isRetriedByDefault(outcome)) return true;
  if (outcome !== 'runtime_error' && outcome !== 'format_error') return false;
  return (onBits & bits[outcome]) !== 0;
}
