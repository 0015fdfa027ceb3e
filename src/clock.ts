/** What tells the time. Passed in wherever time decides something, so that tests can turn it. */
export interface Clock {
  /** Milliseconds that never jump; comparable only within one process. */
  monotonicMs(): number;
  /** Milliseconds since 1970-01-01 UTC, as the host believes it. For showing, never for timers. */
  wallMs(): number;
}

/** The host's own clocks. */
export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
};
