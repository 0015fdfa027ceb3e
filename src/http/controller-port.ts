import { ScriptdError } from '../errors.js';
import type { ScheduleSpec, ScheduleSummary, ScheduleView } from '../schedule.js';
import type { TaskSpec, TaskView } from '../task.js';
import type { TaskCursor } from '../task-cursor.js';
import type { MessageOf } from '../wire/messages.js';
import type { QueueReport, WorkerReport } from '../wire/reports.js';
import type { Traffic } from '../wire/traffic.js';

/** Something asked of the controller whose answer may take long. */
export interface Asked<T> {
  readonly answer: Promise<T>;
  /** Takes the question back: `answer` is then rejected with FORGOTTEN. Later calls do nothing. */
  forget(): void;
}

export type Report = MessageOf<'report'>;
export type TaskQuery = Omit<MessageOf<'list'>, 'kind' | 'requestId'>;
export type TaskPage = Omit<MessageOf<'page'>, 'kind' | 'requestId'>;
/** The task without bulk when it has moved past a cursor, or what it has put out since. */
export type Progress = Omit<MessageOf<'progress'>, 'kind' | 'requestId'>;
export type DeliveryReport = Omit<MessageOf<'delivery'>, 'kind' | 'requestId'>;
/** What was asked for; the task is without bulk. */
export type Specified = Omit<MessageOf<'spec'>, 'kind' | 'requestId'>;
export type Explained = Omit<MessageOf<'explanation'>, 'kind' | 'requestId'>;

/** Without `deadLetters`: nobody could say, or they are none of the caller's business. */
export type Overview = Omit<MessageOf<'overviewReport'>, 'kind' | 'requestId'>;
export type History = Omit<MessageOf<'samples'>, 'kind' | 'requestId'>;

export type Measured = Omit<MessageOf<'figures'>, 'kind' | 'requestId'>;

/** A task that was submitted. */
export interface Stored {
  task: TaskView;
  /** It was there before: its idempotency key stands for it. */
  replayed: boolean;
}

/**
 * The controller as the routes need it. Answers are rejected with a ScriptdError:
 * CONTROLLER_UNAVAILABLE (no connection within `controllerWaitMs`), CONTROLLER_LOST (it broke
 * before the answer came), OVERLOADED, DRAINING, FORGOTTEN; or with a Refusal, in the controller's
 * own words.
 */
export interface ControllerPort {
  /** True while there is a proven connection. */
  readonly connected: boolean;
  /** Answered once the task is durable. Sent at most once, or as often as need be with a key. */
  store(task: TaskSpec): Promise<Stored>;
  /** Answered when the task is finished; forgetting it cancels the task. Sent at most once. */
  run(task: TaskSpec): Asked<TaskView>;
  /** The task as it stands. */
  get(taskId: string): Promise<TaskView>;
  /** The task once it is finished; forgetting leaves the task alone. */
  watch(taskId: string): Asked<TaskView>;
  /** What comes of the task after the cursor, once something does; it has to be asked for again. */
  follow(taskId: string, cursor: TaskCursor): Asked<Progress>;
  /** The task as it stands after the order to cancel it. */
  cancelTask(taskId: string): Promise<TaskView>;
  status(): Promise<Report>;
  /** Newest first, without bulk. */
  list(query: TaskQuery): Promise<TaskPage>;
  /** What was submitted. */
  spec(taskId: string): Promise<Specified>;
  explain(taskId: string): Promise<Explained>;
  /** The task as it stands once it is durable that it is to be sent again. */
  retryTask(taskId: string): Promise<TaskView>;
  /** How far telling its webhook has come. */
  delivery(taskId: string): Promise<DeliveryReport>;
  /** Has it told again. */
  redeliver(taskId: string): Promise<DeliveryReport>;
  queues(): Promise<QueueReport[]>;
  setQueuePaused(type: string, paused: boolean): Promise<QueueReport>;
  schedules(): Promise<ScheduleSummary[]>;
  schedule(id: string): Promise<ScheduleView>;
  /** `create`: SCHEDULE_EXISTS when there is one with its id. `put`: it takes that one's place. */
  putSchedule(
    how: 'create' | 'put',
    schedule: ScheduleSpec,
  ): Promise<{ schedule: ScheduleView; created: boolean }>;
  setScheduleEnabled(id: string, enabled: boolean): Promise<ScheduleView>;
  deleteSchedule(id: string): Promise<void>;
  /** How the service stands, for whoever looks after it. */
  overview(): Promise<Overview>;
  /** The same, as it was within the last second: all who watch share it. */
  recentOverview(): Promise<Overview>;
  /** What went on in the last hour, as of the last second. */
  history(): Promise<History>;
  /** Has the worker finish what it has, and end. */
  drainWorker(workerId: string): Promise<WorkerReport>;
  /** The figures of the controller and its workers. */
  measure(): Promise<Measured>;
  /** Requests that wait for an answer. */
  readonly waiting: number;
  readonly traffic: Traffic;
}

/** The controller's `refused`. */
export class Refusal extends ScriptdError {
  /** Which field of the task it is about, if any. */
  readonly field: string | undefined;
  /** When asking again may help, if it said so. */
  readonly retryAfterMs: number | undefined;

  constructor({ code, message, field, retryAfterMs }: MessageOf<'refused'>) {
    super(code, message);
    this.field = field;
    this.retryAfterMs = retryAfterMs;
  }
}
