import type { Ending } from '../scheduler/endings.js';
import type { AttemptRecord, TaskSpec, TaskView } from '../task.js';

/** What a submission's acknowledgement means: on disk, with the operating system, in memory. */
export type Durability = TaskView['durability'];

/** A task as it is submitted. `view.state` is `pending`. */
export interface Submission {
  view: TaskView;
  spec: TaskSpec;
}

/** An attempt begins. */
export interface Claim {
  taskId: string;
  /** `view.startedAt` and `view.worker` are taken from it. */
  attempt: AttemptRecord;
}

/** An attempt ended and the task is pending again. */
export interface Requeue {
  taskId: string;
  /** The attempt as it ended. */
  attempt: AttemptRecord;
}

/** A task is finished. */
export interface Completion {
  taskId: string;
  /** The last attempt as it ended; absent when none had begun. */
  attempt: AttemptRecord | undefined;
  ending: Ending;
  finishedAt: number;
  timeline: TaskView['timeline'];
}

/**
 * Where tasks are kept. Everything comes in batches, and each promise is fulfilled once its batch
 * has the store's durability. More than one process may write: nothing outside the store may be
 * taken for the whole truth about a task.
 */
export interface TaskStore {
  readonly durability: Durability;
  submit(submissions: readonly Submission[]): Promise<void>;
  claim(claims: readonly Claim[]): Promise<void>;
  requeue(requeues: readonly Requeue[]): Promise<void>;
  /** The finished tasks, in the order of the batch. */
  complete(completions: readonly Completion[]): Promise<TaskView[]>;
  /** What a worker needs to run the task; undefined when there is no such task. */
  readSpec(taskId: string): Promise<TaskSpec | undefined>;
  /** The task as it stands; undefined when there is no such task (any more). */
  readView(taskId: string): Promise<TaskView | undefined>;
}
