import type { TaskState } from '../task.js';

/**
 * The life of a task and of an attempt as total tables: every state answers every event, by name.
 * docs/ARCHITECTURE.md draws them. What the named steps do stands in life.ts.
 *
 *              dispatch, adopt       result or loss (retry), returned
 *   ┌─────────┐ ──────▶ ┌─────────┐ ─────────────▶ pending, at once or after a delay
 *   │ pending │         │ running │
 *   └─────────┘         └─────────┘ ─────────────▶ finished
 *        └── cancel, expire ───────▶ finished       result or loss (final)
 */
export type TaskEvent =
  /** A worker can take it. */
  | 'dispatch'
  /** The worker says that it has an attempt which we did not know to be there. */
  | 'adopt'
  | 'result'
  /** The worker is gone, and with it an attempt that may have begun. */
  | 'lost'
  /** The attempt is handed back or never arrived: it had not begun. */
  | 'returned'
  | 'cancel'
  | 'overdue'
  /** Its time to live has passed. */
  | 'expire';

export type TaskStep =
  /** Hand the task to a worker: a new attempt. */
  | 'begin'
  /** Take the attempt that the worker has for the current one. */
  | 'attach'
  /** Record the attempt's end; finish the task or try it again, as its outcome says. */
  | 'conclude'
  /** Back into the queue, at its old place; the attempt does not count. */
  | 'giveBack'
  /** Finish at once: nothing of it runs. */
  | 'finishCancelled'
  | 'finishExpired'
  /** Ask its worker to stop it; the task finishes with the worker's answer. */
  | 'askToStop'
  /** The event is of an attempt or a task that is over, or comes too late: nothing to do. */
  | 'ignore'
  /** Cannot come: our mistake if it does. */
  | 'impossible';

export type TaskSteps = Record<TaskState, Record<TaskEvent, TaskStep>>;

export const taskSteps = {
  pending: {
    dispatch: 'begin',
    adopt: 'attach',
    result: 'ignore',
    lost: 'ignore',
    returned: 'ignore',
    cancel: 'finishCancelled',
    overdue: 'ignore',
    expire: 'finishExpired',
  },
  running: {
    dispatch: 'impossible',
    adopt: 'attach',
    result: 'conclude',
    lost: 'conclude',
    returned: 'giveBack',
    cancel: 'askToStop',
    overdue: 'askToStop',
    expire: 'ignore',
  },
  finished: {
    dispatch: 'impossible',
    adopt: 'ignore',
    result: 'ignore',
    lost: 'ignore',
    returned: 'ignore',
    cancel: 'ignore',
    overdue: 'ignore',
    expire: 'ignore',
  },
} satisfies TaskSteps;

export const attemptStates = ['dispatched', 'recalling', 'started', 'stopping', 'ended'] as const;
export type AttemptState = (typeof attemptStates)[number];
export type AttemptEvent =
  | 'started'
  /** Its worker is asked to hand it back unless it has begun. */
  | 'recall'
  | 'stop'
  /** Its worker is not connected any more: what it was asked last may not have reached it. */
  | 'left'
  | 'end';

export type AttemptStep = AttemptState | 'stay';

/** The attempt's own states: where each event leads. */
export const attemptSteps = {
  dispatched: {
    started: 'started',
    recall: 'recalling',
    stop: 'stopping',
    left: 'stay',
    end: 'ended',
  },
  recalling: {
    started: 'started',
    recall: 'stay',
    stop: 'stopping',
    left: 'dispatched',
    end: 'ended',
  },
  started: { started: 'stay', recall: 'stay', stop: 'stopping', left: 'stay', end: 'ended' },
  stopping: { started: 'stay', recall: 'stay', stop: 'stay', left: 'dispatched', end: 'ended' },
  ended: { started: 'stay', recall: 'stay', stop: 'stay', left: 'stay', end: 'stay' },
} satisfies Record<AttemptState, Record<AttemptEvent, AttemptStep>>;
