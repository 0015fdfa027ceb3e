import { invariant } from '../invariant.js';

/** Limits of the controller. Durations in milliseconds. */
export const controllerLimits = {
  /** Tasks that are not finished; more are refused with OVERLOADED. */
  unfinishedTasksMax: 100_000,
  /** Code, stdin, args and env of tasks that are not finished, in bytes. */
  unfinishedBytesMax: 512 * 1024 * 1024,
  /** Requests that one http daemon may have unanswered. */
  requestsPerClientMax: 100_000,
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
  workerStartMs: 15_000,
} as const;

invariant(
  controllerLimits.restartMsMin <= controllerLimits.restartMsMax &&
    controllerLimits.reconnectMsMin <= controllerLimits.reconnectMsMax,
  'backoffs grow',
);
