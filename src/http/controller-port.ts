import { ScriptdError } from '../errors.js';
import type { TaskSpec, TaskView } from '../task.js';
import type { MessageOf } from '../wire/messages.js';

/** Something asked of the controller whose answer may take long. */
export interface Asked<T> {
  readonly answer: Promise<T>;
  /** Takes the question back: `answer` is then rejected with FORGOTTEN. Later calls do nothing. */
  forget(): void;
}

export type Report = MessageOf<'report'>;

/**
 * The controller as the routes need it. Answers are rejected with a ScriptdError:
 * CONTROLLER_UNAVAILABLE (no connection within `controllerWaitMs`), CONTROLLER_LOST (it broke
 * before the answer came), OVERLOADED, DRAINING, FORGOTTEN; or with a Refusal, in the controller's
 * own words.
 */
export interface ControllerPort {
  /** True while there is a proven connection. */
  readonly connected: boolean;
  /**
   * `stored`: answered once the task is durable. `finished`: answered when it is finished, and
   * forgetting it cancels the task. Sent at most once.
   */
  submit(task: TaskSpec, reply: 'stored' | 'finished'): Asked<TaskView>;
  /** The task as it stands. */
  get(taskId: string): Promise<TaskView>;
  /** The task once it is finished; forgetting leaves the task alone. */
  watch(taskId: string): Asked<TaskView>;
  /** The task as it stands after the order to cancel it. */
  cancelTask(taskId: string): Promise<TaskView>;
  status(): Promise<Report>;
}

/** The controller's `refused`. */
export class Refusal extends ScriptdError {
  /** Which field of the task it is about, if any. */
  readonly field: string | undefined;

  constructor(code: string, message: string, field: string | undefined) {
    super(code, message);
    this.field = field;
  }
}
