import { invariant } from '../invariant.js';

/** Limits of scaling. Durations in milliseconds. */
export const scalingLimits = {
  /** Workers of one type that are started by one decision. */
  startsAtOnceMax: 16,
  /** Workers of one type, at most. */
  workersMax: 10_000,
  /** Wait after workers failed: doubles from the first to the second. */
  failureWaitMsMin: 1_000,
  failureWaitMsMax: 300_000,
  /** The same while a worker of the current template has been up for `provenMs`. */
  provenWaitMsMax: 10_000,
  provenMs: 10_000,
  /** So long after such a wait without another failure, the next begins with the shortest again. */
  failureForgetMs: 60_000,
} as const;

invariant(
  scalingLimits.failureWaitMsMin <= scalingLimits.provenWaitMsMax &&
    scalingLimits.provenWaitMsMax <= scalingLimits.failureWaitMsMax,
  'the wait after failures grows',
);
