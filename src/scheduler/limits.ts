import { invariant } from '../invariant.js';
import { limits } from '../limits.js';

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
  /** Attempts of a task that got lost on their way and do not count; later ones do. */
  unbegunLossesMax: 100,
  /**
   * By how much the number of an attempt that a worker names may be ahead of ours: a controller before
   * us gave it out, and a full disk kept its claims from the store for long. All that count and all
   * that get lost fit into it, and what was asked back besides; without a limit a worker could use the
   * numbers up.
   */
  attemptsAheadMax: 1_000,
  /** After a restart, the workers that ran something have so long to come back. */
  recoveryGraceMs: 10_000,
  /**
   * After a restart, nothing is dispatched for so long: a worker may run what the store does not
   * know to be running, because its claim was on its way to the disk.
   */
  settleMs: 500,
  /** Retries of one type that may begin at once, and how many a second after that. */
  retryBurst: 1_000,
  retriesPerSecond: 200,
  /** Tasks that a worker takes beyond its slots, so that no slot waits for the wire. */
  prefetchDefaultMax: 2,
  prefetchMax: 4_096,
  /** What an attempt is taken to last while nothing is known of its type. */
  attemptEstimateMs: 100,
  /** Groups without work that are remembered per type, beside those with work. */
  idleGroupsMax: 1_024,
  groupWeightMin: 0.001,
  groupWeightMax: 1_000_000,
  /** Scores of users' own evaluators: beyond it, milliseconds would be lost to rounding. */
  scoreAbsMax: 1e12,
  /** `explain` counts no further. */
  aheadCountMax: 10_000,
} as const;

invariant(
  schedulerLimits.unbegunLossesMax + limits.attemptsMax < schedulerLimits.attemptsAheadMax,
  'what an earlier controller may have given out is adopted',
);
invariant(
  schedulerLimits.settleMs < schedulerLimits.recoveryGraceMs,
  'dispatching begins before the workers that stay away are given up',
);
