/** Limits of `scriptd bench`. Durations in milliseconds. */
export const benchLimits = {
  /** Where neither a number nor a time is given: what is reached first ends it. */
  tasksDefault: 1_000,
  forMsDefault: 10_000,

  tasksMax: 1_000_000_000,
  forMsMax: 7 * 86_400_000,
  perSecondMax: 100_000,

  /** In flight at once: where the next follows the last, and where they come at a rate. */
  clientsDefault: 8,
  clientsDefaultAtRate: 128,
  clientsMax: 1_024,
  /** Tasks that are sent before, and not counted. */
  warmUpDefault: 8,
  /** Tasks in one request: the client of a batch sends no more in one. */
  batchMax: 256,
  /** A batch waits so long for its results. Seconds. */
  waitSeconds: 12 * 3_600,

  /** How often in a row a request is sent again: 13 s or so, enough for a restart. */
  retries: 8,
  /** Different ends, and different causes of repeats, that are told apart. */
  endsMax: 32,

  /** What is cancelled is waited for so long before its requests are given up. */
  cancelMsMax: 2_000,
  /** Tasks that are cancelled at once. */
  cancelsAtOnce: 8,

  /** Rows of the histogram, the one for what took longer than the others not counted. */
  rowsMax: 12,
  /** Columns of its longest bar. */
  barColumnsMax: 50,
} as const;
