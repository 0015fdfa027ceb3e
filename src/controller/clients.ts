import { errorMessage } from '../errors.js';
import type { Log } from '../log.js';
import type { ScheduleSpec, ScheduleSummary, ScheduleView } from '../schedule.js';
import type { CancelCause } from '../scheduler/endings.js';
import type { Explanation } from '../scheduler/scheduler.js';
import type { TaskPage, TaskQuery } from '../store/port.js';
import type { TaskSpec, TaskView } from '../task.js';
import { type Connection, closeReason } from '../wire/connection.js';
import type { Message, MessageOf, QueueReport } from '../wire/messages.js';
import { Answers } from './answers.js';
import { controllerLimits } from './limits.js';
import type { Refusal } from './refusal.js';

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
  /** As the store's. Rejected with BAD_CURSOR. */
  query(query: TaskQuery): Promise<TaskPage>;
  /** What holds the task back, or what it does; undefined when the scheduler does not have it. */
  explain(taskId: string): Explanation | undefined;
  /**
   * Sends a finished task again, as the same task; the view is without bulk. Rejected with
   * UNKNOWN_TASK, NOT_FINISHED, and all that a submission may be.
   */
  retry(taskId: string): Promise<TaskView>;
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
  /** False: there was none. */
  deleteSchedule(id: string): Promise<boolean>;
}

type Reply = (answer: MessageOf<'task'>) => void;

/** A request that is answered when its task is finished. */
interface Watch {
  taskId: string;
  reply: Reply;
  requestId: number;
  /** Nobody else knows of this task: when the watcher goes, it is cancelled. */
  ownsTask: boolean;
}

/** All http daemons' requests that wait for a task's end, by task. */
export class Watches {
  readonly #byTask = new Map<string, Set<Watch>>();

  add(watch: Watch): void {
    const watches = this.#byTask.get(watch.taskId);
    if (watches) watches.add(watch);
    else this.#byTask.set(watch.taskId, new Set([watch]));
  }

  remove(watch: Watch): void {
    const watches = this.#byTask.get(watch.taskId);
    if (watches?.delete(watch) && watches.size === 0) this.#byTask.delete(watch.taskId);
  }

  /** Answers all that wait for this task. */
  finished(task: TaskView): void {
    const watches = this.#byTask.get(task.id);
    if (!watches) return;
    this.#byTask.delete(task.id);
    for (const { reply, requestId } of watches) reply({ kind: 'task', requestId, task });
  }
}

/** One http daemon's connection. */
export class ClientSession {
  readonly #connection: Connection;
  readonly #answers: Answers;
  readonly #requests: ClientRequests;
  readonly #watches: Watches;
  readonly #log: Log;
  /** Unanswered requests; a submit that is not stored yet has no watch. */
  readonly #unanswered = new Map<number, Watch | 'storing' | 'forgotten'>();

  constructor(connection: Connection, requests: ClientRequests, watches: Watches, log: Log) {
    this.#connection = connection;
    this.#answers = new Answers(connection);
    this.#requests = requests;
    this.#watches = watches;
    this.#log = log;
  }

  receive(message: Message): void {
    switch (message.kind) {
      case 'submit':
        if (this.#admit(message.requestId)) this.#submit(message);
        break;
      case 'watch':
        if (this.#admit(message.requestId)) this.#watch(message);
        break;
      case 'get':
        this.#get(message.requestId, message.taskId);
        break;
      case 'forget':
        this.#forget(message.requestId);
        break;
      case 'cancelTask':
        this.#cancel(message);
        break;
      case 'status':
        this.#connection.send(this.#requests.report(message.requestId));
        break;
      default:
        break;
    }
  }

  /** The daemon has read all that was sent to it. */
  drained(): void {
    this.#answers.drained();
  }

  /** The daemon is gone: nobody waits any more. */
  closed(error: unknown): void {
    this.#answers.drop();
    const { code, reason } = closeReason(error);
    const waiting = this.#unanswered.size;
    this.#log.info({ code, waiting }, `http daemon disconnected: ${reason}`);
    for (const requestId of [...this.#unanswered.keys()]) this.#forget(requestId);
  }

  /** A request id must be free and their number bounded; else the peer is out of its mind. */
  #admit(requestId: number): boolean {
    if (this.#unanswered.has(requestId)) {
      this.#refuse(requestId, { code: 'OVERLOADED', message: `request ${requestId} is in use` });
      return false;
    }
    if (this.#unanswered.size >= controllerLimits.requestsPerClientMax) {
      const message = `${this.#unanswered.size} requests of this http daemon are unanswered`;
      this.#refuse(requestId, { code: 'OVERLOADED', message });
      return false;
    }
    return true;
  }

  #submit({ requestId, reply, task }: MessageOf<'submit'>): void {
    this.#unanswered.set(requestId, 'storing');
    this.#requests.submit(
      task,
      (view) => {
        const forgotten = this.#unanswered.get(requestId) === 'forgotten';
        this.#unanswered.delete(requestId);
        if (reply === 'stored') this.#answers.send({ kind: 'task', requestId, task: view });
        else if (forgotten) this.#requests.cancel(view.id, 'client_gone');
        else this.#addWatch(requestId, view.id, true);
      },
      (refusal) => {
        this.#unanswered.delete(requestId);
        this.#refuse(requestId, refusal);
      },
    );
  }

  #watch({ requestId, taskId }: MessageOf<'watch'>): void {
    if (this.#requests.isUnfinished(taskId)) this.#addWatch(requestId, taskId, false);
    else this.#get(requestId, taskId);
  }

  #addWatch(requestId: number, taskId: string, ownsTask: boolean): void {
    const reply = (answer: MessageOf<'task'>) => {
      this.#unanswered.delete(requestId);
      this.#answers.send(answer);
    };
    const watch = { taskId, requestId, reply, ownsTask };
    this.#unanswered.set(requestId, watch);
    this.#watches.add(watch);
  }

  #get(requestId: number, taskId: string): void {
    this.#requests.read(taskId).then(
      (task) => {
        if (task) this.#answers.send({ kind: 'task', requestId, task });
        else this.#refuseUnknown(requestId, taskId);
      },
      (error: unknown) => {
        this.#log.error({ err: error, task: taskId }, `task ${taskId} could not be read`);
        const message = `task ${taskId} could not be read: ${errorMessage(error)}`;
        this.#refuse(requestId, { code: 'INTERNAL', message });
      },
    );
  }

  /** Asks for the end, and answers with the task as it is when that has been recorded. */
  #cancel({ requestId, taskId }: MessageOf<'cancelTask'>): void {
    if (!this.#requests.isUnfinished(taskId)) {
      this.#get(requestId, taskId);
      return;
    }
    if (!this.#admit(requestId)) return;
    this.#addWatch(requestId, taskId, false);
    this.#requests.cancel(taskId, 'caller');
  }

  #forget(requestId: number): void {
    const waiting = this.#unanswered.get(requestId);
    if (waiting === undefined) return;
    if (typeof waiting === 'string') {
      this.#unanswered.set(requestId, 'forgotten');
      return;
    }
    this.#unanswered.delete(requestId);
    this.#watches.remove(waiting);
    if (waiting.ownsTask) this.#requests.cancel(waiting.taskId, 'client_gone');
  }

  #refuse(requestId: number, { code, message, field }: Refusal): void {
    const detail = field === undefined ? {} : { field };
    this.#connection.send({ kind: 'refused', requestId, code, message, ...detail });
  }

  #refuseUnknown(requestId: number, taskId: string): void {
    const message = `there is no task ${taskId} (any more)`;
    this.#connection.send({ kind: 'refused', requestId, code: 'UNKNOWN_TASK', message });
  }
}
