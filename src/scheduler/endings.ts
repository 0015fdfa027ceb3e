import type { Result } from '../task.js';
import type { Code, Outcome } from '../verdict.js';
import { schedulerLimits } from './limits.js';

/** How an attempt, and with it perhaps its task, ended. */
export interface Ending {
  outcome: Outcome;
  code?: Code | undefined;
  reason?: string | undefined;
  /** What the worker sent; absent when it was lost. */
  result?: Result | undefined;
}

/** Why a task is cancelled. */
export type CancelCause = 'caller' | 'client_gone' | 'shutdown';

const cancelled = {
  caller: ['CANCELLED', 'The task was cancelled by the caller.'],
  client_gone: ['CLIENT_GONE', 'The client that waited for the output went away.'],
  shutdown: ['SHUTDOWN', 'The service was shut down before the task had finished.'],
} as const satisfies Record<CancelCause, readonly [Code, string]>;

/** The end of a task that was cancelled while no worker had it, or whose worker is lost. */
export function cancelledEnding(cause: CancelCause): Ending {
  const [code, reason] = cancelled[cause];
  return { outcome: 'cancelled', code, reason };
}

/**
 * The end of a task whose time to live passed while it was pending.
 *
 * @param attempts those that had failed before
 */
export function expiredEnding(attempts: number): Ending {
  const when = attempts === 0 ? 'before it began' : `after ${attempts} failed attempts`;
  const reason = `Its time to live passed while it was pending, ${when}; raise expiresAfterMs.`;
  return { outcome: 'expired', code: 'EXPIRED', reason };
}

/** The end of a task that would be tried again, and whose attempts have used up all numbers. */
export const numbersSpentEnding: Ending = {
  outcome: 'internal_fail',
  code: 'INTERNAL',
  reason: 'There is no number left for another attempt: submit it as a new task.',
};

/** The end of an attempt whose task could not be read from the store, so that no worker got it. */
export const unreadEnding: Ending = {
  outcome: 'internal_fail',
  code: 'INTERNAL',
  reason: 'The task could not be read from the store; the log of the controller says why.',
};

/**
 * The end of an attempt whose worker is gone.
 *
 * @param deaths workers that were lost with this task so far, this one included
 */
export function lostEnding(workerId: string, attempt: number, deaths: number): Ending {
  const quarantined =
    deaths >= schedulerLimits.workerDeathsMax
      ? `; ${deaths} workers were lost while they ran it`
      : '';
  return {
    outcome: 'network_fail',
    code: 'WORKER_LOST',
    reason: `Worker ${workerId} or its connection was lost during attempt ${attempt}${quarantined}.`,
  };
}
