/** How a finished task, or a finished attempt of one, ended. Closed; see docs/ARCHITECTURE.md. */
export const outcomes = [
  'success',
  'runtime_error',
  'format_error',
  'network_fail',
  'internal_fail',
  'cancelled',
  'expired',
] as const;
export type Outcome = (typeof outcomes)[number];

/** What exactly happened, beside the outcome. Closed; docs/ERRORS.md has a row for each. */
export const codes = [
  'EXCEPTION',
  'EXIT_NONZERO',
  'SIGNALED',
  'WALL_LIMIT',
  'CPU_LIMIT',
  'MEMORY_LIMIT',
  'PROCESS_LIMIT',
  'OUTPUT_LIMIT',
  'DISK_LIMIT',
  'SYSCALL_DENIED',
  'FORMAT_MISMATCH',
  'CHECK_FAILED',
  'CANCELLED',
  'CLIENT_GONE',
  'SHUTDOWN',
  'EXPIRED',
  'WORKER_LOST',
  'WORKER_BUSY',
  'START_FAILED',
  'INTERNAL',
] as const;
export type Code = (typeof codes)[number];

/** Outcomes that are ours rather than the script's: such an attempt is tried again by default. */
export function isRetriedByDefault(outcome: Outcome): boolean {
  return outcome === 'network_fail' || outcome === 'internal_fail';
}
