/** Limits of the client. Durations in milliseconds. */
export const clientLimits = {
  /** For one request, beside the time for which the service was asked to hold its answer. */
  timeoutMsDefault: 30_000,
  /** How often a request is sent again, or one of its kind that brings nothing new: 13 s or so. */
  retriesDefault: 8,
  /** Waits before it is: the first, and where the doubling ends. */
  backoffMsMin: 100,
  backoffMsMax: 5_000,
  /** A service that wants to be left alone for longer is not waited for. */
  retryAfterMsMax: 60_000,
  /** One long poll. Proxies give up on an answer after a minute. Seconds. */
  waitSeconds: 50,
  /** Tasks in one page of a list. */
  pageTasks: 100,

  /** The service says something every 15 s; after so long without it the connection is dead. */
  silenceMsMax: 45_000,
  /** Longest line of a stream, in UTF-16 units: the largest task that there is, as JSON. */
  lineCharsMax: 128 * 1024 * 1024,

  /** Tasks in one request of a batch, and their JSON in UTF-16 units. */
  batchTasks: 256,
  batchChars: 4 * 1024 * 1024,
  /** A source that is slower than this has its tasks sent as far as they are there. */
  batchLingerMs: 20,
  /** Requests of one batch at once, where it waits for results. */
  batchRequests: 4,
  /** One request of a batch waits so long for results: some HTTP clients take no longer silence. Seconds. */
  batchWaitSeconds: 240,
} as const;
