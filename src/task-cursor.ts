import { type Static, Type } from 'typebox';
import { limits } from './limits.js';
import { OneOf } from './schema.js';
import type { TaskView } from './task.js';

/**
 * What may have been told of one attempt, in its order: that it runs, that its task waits again,
 * that the task is finished, and that there is nothing more to tell. `none`: nothing of the task yet.
 */
export const cursorStates = ['none', 'running', 'pending', 'finished', 'end'] as const;
export type CursorState = (typeof cursorStates)[number];

const offset = () => Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

/**
 * How far somebody has followed a task: which of its states was told last, and how many bytes of the
 * output of that attempt. It says all by itself: nobody has to remember it.
 */
export const TaskCursor = Type.Object(
  {
    /** 0: before the first. */
    attempt: Type.Integer({ minimum: 0, maximum: limits.attemptMax }),
    state: OneOf(cursorStates),
    stdoutOffset: offset(),
    stderrOffset: offset(),
  },
  { additionalProperties: false },
);
export type TaskCursor = Static<typeof TaskCursor>;

export const cursorStart: TaskCursor = {
  attempt: 0,
  state: 'none',
  stdoutOffset: 0,
  stderrOffset: 0,
};

type Place = Pick<TaskCursor, 'attempt' | 'state'>;

/** Negative where `a` is told before `b`, 0 where they are the same. */
export function comparePlaces(a: Place, b: Place): number {
  return a.attempt - b.attempt || cursorStates.indexOf(a.state) - cursorStates.indexOf(b.state);
}

/** True when there is a state of the task to tell. Of one that is finished there always is: its end. */
export function hasMoved(task: TaskView, cursor: TaskCursor): boolean {
  return task.state === 'finished' || comparePlaces(task, cursor) > 0;
}
