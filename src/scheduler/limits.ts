/** Limits of the scheduler. Durations in milliseconds. */
export const schedulerLimits = {
  /**
   * A worker enforces the wall limit itself; when its result is this much late, it is told to stop
   * the attempt.
   */
  overdueGraceMs: 3_000,
  /** A worker that has not answered a stop for so long is taken for broken. */
  stopGraceMs: 5_000,
  /** An attempt whose worker died counts against its task; so many end it (quarantine). */
  workerDeathsMax: 3,
} as const;
