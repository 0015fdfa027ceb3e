import type { AttemptRecord, TaskState, TaskView } from '../task.js';
import { timeMembers } from './task-json.js';

/** One change of a task's state. */
export interface TaskChange {
  state: TaskState;
  /** Number of the attempt that it is about; 0 before the first. */
  attempt: number;
  /** The change as JSON shows it. */
  json: Record<string, unknown>;
}

/**
 * Every state that a task has been in, in order. It is read from the task itself, as far back as the
 * task keeps its attempts: so whoever missed a change can be told of it later.
 */
export function taskHistory(task: TaskView): TaskChange[] {
  const changes = [change(task, 'pending', 0, { at: task.createdAt })];
  for (const record of task.attempts) {
    const { attempt, startedAt: at } = record;
    changes.push(change(task, 'running', attempt, { at }));
    if (waitedAfter(record, task)) {
      const nextAttemptAt = attempt === task.attempt ? task.nextAttemptAt : undefined;
      const times = { at: record.finishedAt, nextAttemptAt };
      changes.push(change(task, 'pending', attempt, times, record));
    }
  }
  if (task.state === 'finished') {
    changes.push(change(task, 'finished', task.attempt, { at: task.finishedAt }, task));
  }
  return changes;
}

/** Whether the task was pending again after the attempt: an end that is not the task's own. */
function waitedAfter({ attempt, finishedAt }: AttemptRecord, task: TaskView): boolean {
  if (finishedAt === undefined) return false;
  const isLast = attempt === task.attempt && task.state === 'finished';
  return !isLast || finishedAt !== task.finishedAt;
}

function change(
  { id }: TaskView,
  state: TaskState,
  attempt: number,
  times: Record<string, number | undefined>,
  { outcome, code, reason }: Partial<AttemptRecord> = {},
): TaskChange {
  const json = { id, state, attempt, outcome, code, reason, ...timeMembers(times) };
  return { state, attempt, json };
}
