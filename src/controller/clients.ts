import { errorMessage } from '../errors.js';
import type { Log } from '../log.js';
import type { TaskView } from '../task.js';
import { type Connection, closeReason } from '../wire/connection.js';
import type { Message, MessageOf } from '../wire/messages.js';
import { type Answer, Answers } from './answers.js';
import type { ClientRequests } from './client-requests.js';
import type { Followers } from './followers.js';
import { controllerLimits } from './limits.js';
import { answerTo } from './questions.js';
import { asRefusal, type Refusal, unknownTask } from './refusal.js';

export type { ClientRequests } from './client-requests.js';

/** As the message has it. */
const refusedCharactersMax = 4_096;

type Reply = (answer: MessageOf<'task'>) => void;

/** A request that is answered when its task is finished. */
interface Watch {
  taskId: string;
  reply: Reply;
  requestId: number;
  /** Nobody else knows of this task: when the watcher goes, it is cancelled. */
  ownsTask: boolean;
}

/** A request that is answered when something comes of its task. */
interface Follow {
  /** Takes it back. */
  end(): void;
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
  readonly #followers: Followers;
  readonly #log: Log;
  /** Unanswered requests; a submit that is not stored yet has no watch. */
  readonly #unanswered = new Map<number, Watch | Follow | 'storing' | 'forgotten'>();

  constructor(
    connection: Connection,
    requests: ClientRequests,
    watches: Watches,
    followers: Followers,
    log: Log,
  ) {
    this.#connection = connection;
    this.#answers = new Answers(connection, (requestId, error) => this.#failed(requestId, error));
    this.#requests = requests;
    this.#watches = watches;
    this.#followers = followers;
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
      case 'followTask':
        if (this.#admit(message.requestId)) this.#follow(message);
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
        this.#report(message.requestId);
        break;
      case 'list':
      case 'getSpec':
      case 'explain':
      case 'retryTask':
      case 'getDelivery':
      case 'redeliver':
      case 'queues':
      case 'pauseQueue':
      case 'resumeQueue':
      case 'listSchedules':
      case 'getSchedule':
      case 'putSchedule':
      case 'setScheduleEnabled':
      case 'deleteSchedule':
      case 'measure':
      case 'overview':
      case 'history':
      case 'drainWorker':
        this.#answer(message.requestId, answerTo(message, this.#requests));
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
      (view, replayed) => {
        const forgotten = this.#unanswered.get(requestId) === 'forgotten';
        this.#unanswered.delete(requestId);
        const answer = { kind: 'task', requestId, task: view } as const;
        if (reply === 'stored') {
          this.#answers.send(replayed ? { ...answer, replayed } : answer);
        } else if (replayed) {
          // It is another request's task as well.
          if (!forgotten) this.#watch({ kind: 'watch', requestId, taskId: view.id });
        } else if (forgotten) {
          this.#requests.cancel(view.id, 'client_gone');
        } else {
          this.#addWatch(requestId, view.id, true);
        }
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

  #follow({ requestId, taskId, cursor }: MessageOf<'followTask'>): void {
    try {
      const end = this.#followers.add({
        ...{ taskId, cursor },
        answer: (progress) => {
          this.#unanswered.delete(requestId);
          this.#answers.send({ kind: 'progress', requestId, ...progress });
        },
        refuse: (error) => {
          this.#unanswered.delete(requestId);
          this.#failed(requestId, error);
        },
      });
      this.#unanswered.set(requestId, { end });
    } catch (error) {
      this.#failed(requestId, error);
    }
  }

  #get(requestId: number, taskId: string): void {
    const answer = this.#requests.read(taskId).then((task) => {
      if (!task) throw unknownTask(taskId);
      return { kind: 'task', requestId, task } as const;
    });
    this.#answer(requestId, answer);
  }

  /** Ahead of what waits: whoever probes the service waits for no large answers of others. */
  #report(requestId: number): void {
    try {
      this.#connection.send(this.#requests.report(requestId));
    } catch (error) {
      this.#failed(requestId, error);
    }
  }

  #answer(requestId: number, answer: Promise<Answer>): void {
    answer.then(
      (sent) => this.#answers.send(sent),
      (error: unknown) => this.#failed(requestId, error),
    );
  }

  #failed(requestId: number, error: unknown): void {
    const refusal = asRefusal(error);
    if (!refusal) this.#log.error({ err: error }, 'a request failed by a fault of ours');
    const message = `the controller could not answer: ${errorMessage(error)}`;
    this.#refuse(requestId, refusal ?? { code: 'INTERNAL', message });
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
    if ('end' in waiting) {
      waiting.end();
      return;
    }
    this.#watches.remove(waiting);
    if (waiting.ownsTask) this.#requests.cancel(waiting.taskId, 'client_gone');
  }

  #refuse(requestId: number, { code, message, field, retryAfterMs }: Refusal): void {
    this.#connection.send({
      kind: 'refused',
      requestId,
      code,
      message: message.slice(0, refusedCharactersMax),
      ...(field !== undefined && { field }),
      ...(retryAfterMs !== undefined && { retryAfterMs: Math.max(1, Math.ceil(retryAfterMs)) }),
    });
  }
}
