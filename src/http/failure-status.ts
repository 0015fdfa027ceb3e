import type { Code, Outcome } from '../verdict.js';

/** An outcome that is none to be glad of. */
export type Failed = Exclude<Outcome, 'success'>;

const statuses = {
  runtime_error: 422,
  format_error: 422,
  network_fail: 503,
  internal_fail: 503,
  cancelled: 409,
  expired: 504,
} satisfies Record<Failed, number>;

/** Limits on time, the script's own doing too, have a status of their own. */
const timeLimits: readonly (Code | undefined)[] = ['WALL_LIMIT', 'CPU_LIMIT'];

/** The status with which `/execute` answers of a task that did not succeed. */
export function failureStatus(outcome: Failed, code: Code | undefined): number {
  if (outcome === 'runtime_error' && timeLimits.includes(code)) return 504;
  // Not the caller's doing: trying again later helps.
  if (code === 'SHUTDOWN') return 503;
  return statuses[outcome];
}
