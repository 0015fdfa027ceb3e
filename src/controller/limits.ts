import { invariant } from '../invariant.js';

/** Limits of the controller. Durations in milliseconds. */
export const controllerLimits = {
  /** Tasks that are not finished; more are refused with OVERLOADED. */
  unfinishedTasksMax: 2_000_000,
  /** Code, stdin, args, env and files of tasks that are not finished, in bytes. */
  unfinishedBytesMax: 16 * 1024 * 1024 * 1024,
  /** Of one group, the one without a name included. */
  groupTasksMax: 1_000_000,
  groupBytesMax: 4 * 1024 * 1024 * 1024,
  /** Of new tasks that wait for a worker, kept in memory so that they need not be read again. */
  freshTasksMax: 4_096,
  freshBytesMax: 8 * 1024 * 1024,
  /** A store that has not written for so long is slow: nothing more is let in. */
  storeSlowMs: 10_000,
  /** Before what the store refused is handed in again. */
  storeRetryMs: 500,
  /** Runs of one schedule that are made up for, the newest. */
  missedRunsMax: 100,
  /** Due runs are looked for so long in one beat; what is left waits for the next. */
  dueRunsMs: 20,
  /** Faults of a user's evaluator that are told, in a minute. */
  evaluatorFaultsMax: 10,
  /** Dead letters are counted up to so many, and again after so long. */
  deadLettersCountedMax: 1_000,
  deadLettersCountedMs: 2_000,
  /** Stored results may wait so long to be acknowledged, for a task that goes the same way. */
  acknowledgeMs: 5,
  /** So many do not wait. */
  acknowledgedMax: 256,
  /** Requests that one http daemon may have unanswered. */
  requestsPerClientMax: 100_000,
  /** Who follow a task, of all http daemons together; each has one event stream of a client. */
  followersMax: 8_192,
  followersPerTaskMax: 128,
  /** Workers, those that would join included. */
  workersMax: 10_000,
  /** Wait before a lost worker is connected to again: doubles from the first to the second. */
  reconnectMsMin: 20,
  reconnectMsMax: 1_000,
  /** Wait before a worker that died is started again: doubles from the first to the second. */
  restartMsMin: 100,
  restartMsMax: 10_000,
  /** A worker that lived this long starts again from the shortest wait. */
  restartResetMs: 10_000,
  /** At the end of a drain, cancelled tasks have this long to be over. */
  cancelAllMs: 3_000,
  /** A worker that was started has this long to answer on its socket. */
  workerStartMs: 60_000,
  /** The farthest that its timer is set ahead: at the latest then it looks what is due. */
  timerMsMax: 24 * 60 * 60 * 1000,
} as const;

invariant(
  controllerLimits.restartMsMin <= controllerLimits.restartMsMax &&
    controllerLimits.reconnectMsMin <= controllerLimits.reconnectMsMax,
  'backoffs grow',
);
