import type { ScheduleSpec, ScheduleSummary, ScheduleView } from '../schedule.js';
import type { CancelCause } from '../scheduler/endings.js';
import type { Explanation } from '../scheduler/scheduler.js';
import type { TaskPage, TaskQuery } from '../store/port.js';
import type { TaskSpec, TaskView } from '../task.js';
import type { MessageOf } from '../wire/messages.js';
import type { QueueReport, WorkerReport } from '../wire/reports.js';
import type { HistoryReport } from './history.js';
import type { OverviewReport } from './overview.js';
import type { Refusal } from './refusal.js';
import type { DeliveryReport } from './webhooks.js';

/**
 * What the sessions of http daemons ask of the controller. A promise is fulfilled once what was
 * asked for is durable. It is rejected with an error that `asRefusal` knows, which is handed on to
 * the daemon; any other is a fault of ours, INTERNAL.
 */
export interface ClientRequests {
  /**
   * Stores the task. `stored` is called once, when it is durable, or `refused`. `replayed`: the
   * task was there before, since its idempotency key stands for it; the view is without bulk.
   */
  submit(
    task: TaskSpec,
    stored: (view: TaskView, replayed: boolean) => void,
    refused: (refusal: Refusal) => void,
  ): void;
  /** With bulk unless it says otherwise. Undefined: no such task (any more). */
  read(taskId: string, options?: { bulk: boolean }): Promise<TaskView | undefined>;
  cancel(taskId: string, cause: CancelCause): void;
  isUnfinished(taskId: string): boolean;
  report(requestId: number): MessageOf<'report'>;
  /** All that `/metrics` shows of the controller and its workers. */
  measure(requestId: number): MessageOf<'figures'>;
  /** As the store's. Rejected with BAD_CURSOR. */
  query(query: TaskQuery): Promise<TaskPage>;
  /** What was asked for. Undefined: no such task (any more). */
  readSpec(taskId: string): Promise<TaskSpec | undefined>;
  /** What holds the task back, or what it does; undefined when the scheduler does not have it. */
  explain(taskId: string): Explanation | undefined;
  /**
   * Sends a finished task again, as the same task; the view is without bulk. Rejected with
   * UNKNOWN_TASK, NOT_FINISHED, and all that a submission may be.
   */
  retry(taskId: string): Promise<TaskView>;
  /** How far telling its webhook has come. Rejected with UNKNOWN_TASK and NO_WEBHOOK. */
  delivery(taskId: string): Promise<DeliveryReport>;
  /** Tells it again, whatever came of it. Rejected with NOT_FINISHED, too. */
  redeliver(taskId: string): Promise<DeliveryReport>;
  /** Of every configured type, whether it has tasks or not. */
  queues(): QueueReport[];
  /** Undefined: there are no workers for the type. To pause what is paused does nothing. */
  pauseQueue(type: string): Promise<QueueReport | undefined>;
  resumeQueue(type: string): Promise<QueueReport | undefined>;
  /** In order of their ids. */
  schedules(): ScheduleSummary[];
  schedule(id: string): ScheduleView | undefined;
  /**
   * `create` is rejected with SCHEDULE_EXISTS; both with TOO_MANY_SCHEDULES, and with what intake
   * would say of the task. `cronFault` has been asked by the daemon, and has to be here too.
   */
  putSchedule(
    how: 'create' | 'put',
    schedule: ScheduleSpec,
  ): Promise<{ schedule: ScheduleView; created: boolean }>;
  /** Undefined: there is none. To enable what is enabled does nothing. */
  setScheduleEnabled(id: string, enabled: boolean): Promise<ScheduleView | undefined>;
  /** False: there was none. */
  deleteSchedule(id: string): Promise<boolean>;
  /** How the service stands, for whoever looks after it. */
  overview(): Promise<OverviewReport>;
  /** What went on in the last hour. */
  history(): HistoryReport;
  /** Has a worker finish what it has, and end. Undefined: no worker of this name is connected. */
  drainWorker(name: string): WorkerReport | undefined;
}
