/** Limits of a drill. Durations in milliseconds. */
export const drillLimits = {
  secondsDefault: 60,
  secondsMax: 86_400,
  killEveryMsDefault: 2_000,
  /** More often there would hardly be anything to kill. */
  killEveryMsMin: 100,
  clients: 6,
  /** Tasks that one client has not seen finished; then it waits for the oldest. */
  unseenMax: 40,
  /** What one request may take; it is sent again after that. */
  requestMs: 40_000,
  /** Before a request that was refused, or got no answer, is sent again. */
  retryMs: 100,
  /** A submission that was not taken for so long is given up: nothing was acknowledged. */
  giveUpMs: 60_000,
  /** The instance has so long to be ready. */
  readyMs: 30_000,
  /** After the last kill, everything has so long to be finished. */
  finishMs: 120_000,
  /** Between two looks at what is not finished. */
  pollMs: 100,
  /** The instance has so long to end; then it is killed. */
  endMs: 30_000,
} as const;
