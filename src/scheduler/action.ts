import type { CancelTrace } from './attempt.js';
import type { CancelCause, Ending } from './endings.js';

/** Why a running attempt is to be stopped. */
export type StopCause = CancelCause | 'deadline' | 'stale';

/** Why a task that failed by no doing of its own is given up. */
export type DeadLetterCause = 'attempts' | 'quarantine';

interface OfAttempt {
  workerId: string;
  taskId: string;
  attempt: number;
}

/** What the controller has to do. In order. */
export type Action =
  /** A new attempt. `tried`: attempts that count so far, this one included. */
  | ({ type: 'dispatch'; tried: number } & OfAttempt)
  /** The worker has this attempt already: record it as the current one. Nothing is sent. */
  | ({ type: 'adopt'; tried: number } & OfAttempt)
  | ({ type: 'stop'; cause: StopCause } & OfAttempt)
  /** Ask the worker to hand the attempt back, unless it has begun. */
  | ({ type: 'recall' } & OfAttempt)
  /** A result that counts for nothing any more: the worker may forget it. */
  | ({ type: 'forget' } & OfAttempt)
  /** The attempt never began and does not count: the task is pending again, at its old place. */
  | ({ type: 'giveBack'; tried: number } & OfAttempt)
  /** The attempt ended and the task will be tried again after `delayMs`, or some time later. */
  | ({ type: 'requeue'; ending: Ending; delayMs: number; workerDeaths: number } & OfAttempt)
  /** The task is finished; `workerId` is absent when it was pending. */
  | {
      type: 'finish';
      workerId: string | undefined;
      taskId: string;
      attempt: number;
      ending: Ending;
      deadLetter?: DeadLetterCause;
      /** Present when somebody asked for its end, whatever its outcome. */
      cancel?: CancelTrace;
    }
  /** The worker does not do what it is told: cut it off. */
  | { type: 'dropWorker'; workerId: string; reason: string };
