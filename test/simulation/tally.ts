import type { Script } from './task.js';

/** What a time loses on the way over a wall clock of 2^41 ms. */
export const roundingMs = 0.01;

/** What the checks know of a task, from what they saw happen. Monotonic milliseconds. */
export interface Tally {
  readonly script: Script;
  /** Order of submission. */
  readonly index: number;
  readonly createdAtMs: number;
  /** A controller has taken it back from the store. */
  restored: boolean;
  /** `submitting`: not durable yet. */
  state: 'submitting' | 'pending' | 'running' | 'finished';
  attempt: number;
  tried: number;
  deaths: number;
  workerId: string | undefined;
  dispatchedAtMs: number;
  startedHeardAtMs: number | undefined;
  /** Not before. */
  readyAtMs: number;
  expiresAtMs: number;
  /** It was tried again: others of its type may hold it back. */
  retried: boolean;
  /** Its next attempt is one more of those whose rate is bounded; one that was handed back is not. */
  retryDue: boolean;
  cancelAskedAtMs: number | undefined;
  stopped: boolean;
  recalled: boolean;
}

/** What the checks know of a worker, as the controller sees it. */
export interface Hand {
  readonly id: string;
  readonly type: string;
  readonly slots: number;
  readonly prefetch: number;
  draining: boolean;
  /** Attempts that it has, by `taskId/attempt`. */
  readonly load: Set<string>;
  /** What it said that it runs, and nobody has said yet what is to become of it. */
  readonly unclaimed: Set<string>;
  /** It came with attempts that count: which of them have a slot is not known. */
  adopted: boolean;
}
