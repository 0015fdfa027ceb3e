import type { TaskState } from '../task.js';

/**
 * The life of a task and of an attempt as total tables: every state answers every event, by name.
 * docs/ARCHITECTURE.md draws them. What the named steps do stands in scheduler.ts.
 *
 *              dispatch              result (retry)
 *   ┌─────────┐ ──────▶ ┌─────────┐ ─────────────▶ pending, after a delay
 *   │ pending │         │ running │
 *   └─────────┘         └─────────┘ ─────────────▶ finished
 *        └── cancel ───────────────▶ finished       result (final), lost (no attempts left)
 */
export type TaskEvent = 'dispatch' | 'result' | 'lost' | 'cancel' | 'overdue';

export type TaskStep =
  /** Hand the task to a worker: a new attempt. */
  | 'begin'
  /** Record the attempt's end; finish the task or try it again, as its outcome says. */
  | 'conclude'
  /** Finish at once: nothing of it runs. */
  | 'finishCancelled'
  /** Ask its worker to stop it; the task finishes with the worker's answer. */
  | 'askToStop'
  /** The event is of an attempt or a task that is over: nothing to do. */
  | 'ignore'
  /** Cannot come: our mistake if it does. */
  | 'impossible';

export const taskSteps = {
  pending: {
    dispatch: 'begin',
    result: 'ignore',
    lost: 'ignore',
    cancel: 'finishCancelled',
    overdue: 'ignore',
  },
  running: {
    dispatch: 'impossible',
    result: 'conclude',
    lost: 'conclude',
    cancel: 'askToStop',
    overdue: 'askToStop',
  },
  finished: {
    dispatch: 'impossible',
    result: 'ignore',
    lost: 'ignore',
    cancel: 'ignore',
    overdue: 'ignore',
  },
} satisfies Record<TaskState, Record<TaskEvent, TaskStep>>;

export const attemptStates = ['dispatched', 'started', 'stopping', 'ended'] as const;
export type AttemptState = (typeof attemptStates)[number];
export type AttemptEvent = 'started' | 'stop' | 'end';

export type AttemptStep = AttemptState | 'stay';

/** The attempt's own states: where each event leads. */
export const attemptSteps = {
  dispatched: { started: 'started', stop: 'stopping', end: 'ended' },
  started: { started: 'stay', stop: 'stopping', end: 'ended' },
  stopping: { started: 'stay', stop: 'stay', end: 'ended' },
  ended: { started: 'stay', stop: 'stay', end: 'stay' },
} satisfies Record<AttemptState, Record<AttemptEvent, AttemptStep>>;
