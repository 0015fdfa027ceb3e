import { randomUUID } from 'node:crypto';
import { ScriptdError } from '../errors.js';
import type { Log } from '../log.js';
import type { Address } from '../poll/address.js';
import type { Poller } from '../poll/poller.js';
import type { ScheduleSpec, ScheduleSummary, ScheduleView } from '../schedule.js';
import type { TaskSpec, TaskView } from '../task.js';
import type { TaskCursor } from '../task-cursor.js';
import { Connection, closeReason } from '../wire/connection.js';
import { wireLimits } from '../wire/limits.js';
import type { Message, MessageOf } from '../wire/messages.js';
import type { QueueReport, WorkerReport } from '../wire/reports.js';
import type { WireToken } from '../wire/token.js';
import { Traffic } from '../wire/traffic.js';
import type { Transport } from '../wire/transport.js';
import {
  type Asked,
  type ControllerPort,
  type DeliveryReport,
  type Explained,
  type History,
  type Measured,
  type Overview,
  type Progress,
  Refusal,
  type Report,
  type Specified,
  type Stored,
  type TaskPage,
  type TaskQuery,
} from './controller-port.js';
import {
  type Answer,
  type AnswerTo,
  bytesOf,
  isAnswer,
  isHeld,
  isRepeatable,
  letGoTask,
  type Question,
  type QuestionKind,
  questions,
  taskOf,
  whole,
} from './controller-questions.js';
import { httpLimits } from './limits.js';
import { Recent } from './recent.js';

export interface ControllerLinkOptions {
  poller: Poller;
  address: Address;
  transport: Transport;
  token: WireToken;
  /** How long a request waits for a connection when there is none. */
  controllerWaitMs: number;
  log: Log;
}

/** A question that is not answered. It is sent, or waits for a connection under a timer. */
interface Request {
  question: Question;
  /** Of what is kept to be sent, or sent again. */
  bytes: number;
  sent: boolean;
  /** Connections that its answer has broken. */
  broken: number;
  /** When it gives up waiting for a connection, on the monotonic clock. */
  giveUpAtMs: number | undefined;
  timer: NodeJS.Timeout | undefined;
  resolve(answer: Answer): void;
  reject(error: ScriptdError): void;
}

/**
 * The one connection to the controller, made again for ever when it breaks. Questions wait for it
 * in `#requests`, by request id:
 *
 *     ask ─▶ waiting ─(connection opens)─▶ sent ─▶ answered or refused
 *               ▲ └ controllerWaitMs: CONTROLLER_UNAVAILABLE
 *               └──(it breaks; what is repeatable only; the others, and what has broken it
 *                   twice by its answer: CONTROLLER_LOST)
 */
export class ControllerLink implements ControllerPort {
  readonly #options: ControllerLinkOptions;
  readonly #requests = new Map<number, Request>();
  readonly #heartbeat: NodeJS.Timeout;
  readonly #identity = {
    role: 'http',
    id: `http-${process.pid}`,
    instance: randomUUID(),
  } as const;
  #lastRequestId = 0;
  /** Of the requests, those that wait for a task's end. */
  #heldCount = 0;
  /** Of all requests together. */
  #keptBytes = 0;
  #connection: Connection | undefined;
  #openedAtMs: number | undefined;
  #reconnectMs: number = httpLimits.reconnectMsMin;
  #reconnectTimer: NodeJS.Timeout | undefined;
  #lastFaultCode: string | undefined;
  #closed = false;
  readonly traffic = new Traffic();
  readonly #overviews = new Recent(() => this.overview(), httpLimits.lookSharedMs);
  readonly #histories = new Recent(() => this.#askHistory(), httpLimits.lookSharedMs);

  /** Begins to connect at once. */
  constructor(options: ControllerLinkOptions) {
    this.#options = options;
    this.#heartbeat = setInterval(() => this.#connection?.heartbeat(), wireLimits.heartbeatMs);
    this.#connect();
  }

  /** Requests that are not answered. */
  get waiting(): number {
    return this.#requests.size;
  }

  get connected(): boolean {
    return this.#connection?.open ?? false;
  }

  store(task: TaskSpec): Promise<Stored> {
    const question = this.#submission('stored', task);
    return this.#ask<'submit', Stored>(question, ({ task, replayed = false }) => {
      return { task, replayed };
    });
  }

  run(task: TaskSpec): Asked<TaskView> {
    return this.#hold<'submit', TaskView>(this.#submission('finished', task), taskOf);
  }

  get(taskId: string): Promise<TaskView> {
    return this.#ask<'get', TaskView>({ kind: 'get', requestId: this.#nextId(), taskId }, taskOf);
  }

  watch(taskId: string): Asked<TaskView> {
    const question = { kind: 'watch', requestId: this.#nextId(), taskId } as const;
    return this.#hold<'watch', TaskView>(question, taskOf);
  }

  follow(taskId: string, cursor: TaskCursor): Asked<Progress> {
    const question = { kind: 'followTask', requestId: this.#nextId(), taskId, cursor } as const;
    return this.#hold<'followTask', Progress>(question, whole);
  }

  cancelTask(taskId: string): Promise<TaskView> {
    const question = { kind: 'cancelTask', requestId: this.#nextId(), taskId } as const;
    return this.#ask<'cancelTask', TaskView>(question, taskOf);
  }

  status(): Promise<Report> {
    return this.#ask<'status', Report>({ kind: 'status', requestId: this.#nextId() }, whole);
  }

  list(query: TaskQuery): Promise<TaskPage> {
    const question = { kind: 'list', requestId: this.#nextId(), ...query } as const;
    return this.#ask<'list', TaskPage>(question, whole);
  }

  spec(taskId: string): Promise<Specified> {
    const question = { kind: 'getSpec', requestId: this.#nextId(), taskId } as const;
    return this.#ask<'getSpec', Specified>(question, whole);
  }

  explain(taskId: string): Promise<Explained> {
    const question = { kind: 'explain', requestId: this.#nextId(), taskId } as const;
    return this.#ask<'explain', Explained>(question, whole);
  }

  retryTask(taskId: string): Promise<TaskView> {
    const question = { kind: 'retryTask', requestId: this.#nextId(), taskId } as const;
    return this.#ask<'retryTask', TaskView>(question, taskOf);
  }

  delivery(taskId: string): Promise<DeliveryReport> {
    const question = { kind: 'getDelivery', requestId: this.#nextId(), taskId } as const;
    return this.#ask<'getDelivery', DeliveryReport>(question, whole);
  }

  redeliver(taskId: string): Promise<DeliveryReport> {
    const question = { kind: 'redeliver', requestId: this.#nextId(), taskId } as const;
    return this.#ask<'redeliver', DeliveryReport>(question, whole);
  }

  queues(): Promise<QueueReport[]> {
    const question = { kind: 'queues', requestId: this.#nextId() } as const;
    return this.#ask<'queues', QueueReport[]>(question, ({ queues }) => queues);
  }

  async setQueuePaused(type: string, paused: boolean): Promise<QueueReport> {
    const kind = paused ? 'pauseQueue' : 'resumeQueue';
    const question = { kind, requestId: this.#nextId(), type } as const;
    const [queue] = await this.#ask<typeof kind, QueueReport[]>(question, ({ queues }) => queues);
    if (queue) return queue;
    throw new ScriptdError('INTERNAL', `the controller told nothing of the queue ${type}`);
  }

  schedules(): Promise<ScheduleSummary[]> {
    const question = { kind: 'listSchedules', requestId: this.#nextId() } as const;
    return this.#ask<'listSchedules', ScheduleSummary[]>(question, ({ schedules }) => schedules);
  }

  schedule(scheduleId: string): Promise<ScheduleView> {
    const question = { kind: 'getSchedule', requestId: this.#nextId(), scheduleId } as const;
    return this.#ask<'getSchedule', ScheduleView>(question, ({ schedule }) => schedule);
  }

  putSchedule(
    how: 'create' | 'put',
    schedule: ScheduleSpec,
  ): Promise<{ schedule: ScheduleView; created: boolean }> {
    const question = { kind: 'putSchedule', requestId: this.#nextId(), how, schedule } as const;
    type Put = { schedule: ScheduleView; created: boolean };
    return this.#ask<'putSchedule', Put>(question, ({ schedule, created = false }) => {
      return { schedule, created };
    });
  }

  setScheduleEnabled(scheduleId: string, enabled: boolean): Promise<ScheduleView> {
    const requestId = this.#nextId();
    const question = { kind: 'setScheduleEnabled', requestId, scheduleId, enabled } as const;
    return this.#ask<'setScheduleEnabled', ScheduleView>(question, ({ schedule }) => schedule);
  }

  deleteSchedule(scheduleId: string): Promise<void> {
    const question = { kind: 'deleteSchedule', requestId: this.#nextId(), scheduleId } as const;
    return this.#ask<'deleteSchedule', void>(question, () => undefined);
  }

  overview(): Promise<Overview> {
    const question = { kind: 'overview', requestId: this.#nextId() } as const;
    return this.#ask<'overview', Overview>(question, whole);
  }

  recentOverview(): Promise<Overview> {
    return this.#overviews.read();
  }

  history(): Promise<History> {
    return this.#histories.read();
  }

  #askHistory(): Promise<History> {
    const question = { kind: 'history', requestId: this.#nextId() } as const;
    return this.#ask<'history', History>(question, whole);
  }

  drainWorker(workerId: string): Promise<WorkerReport> {
    const question = { kind: 'drainWorker', requestId: this.#nextId(), workerId } as const;
    return this.#ask<'drainWorker', WorkerReport>(question, ({ worker }) => worker);
  }

  measure(): Promise<Measured> {
    return this.#ask<'measure', Measured>({ kind: 'measure', requestId: this.#nextId() }, whole);
  }

  /**
   * Ends the connection for good. What is not answered is rejected with DRAINING; tasks that only
   * their caller waited for are cancelled.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#heartbeat);
    clearTimeout(this.#reconnectTimer);
    for (const requestId of [...this.#requests.keys()]) {
      this.#forget(
        requestId,
        new ScriptdError('DRAINING', 'this HTTP daemon is being stopped; ask another, or later'),
      );
    }
    this.#connection?.end();
  }

  #submission(reply: 'stored' | 'finished', task: TaskSpec): MessageOf<'submit'> {
    return { kind: 'submit', requestId: this.#nextId(), reply, task };
  }

  #nextId(): number {
    return ++this.#lastRequestId;
  }

  /** Asks for what may take long, and can be taken back. */
  #hold<Kind extends 'submit' | 'watch' | 'followTask', T>(
    question: MessageOf<Kind> & Question,
    read: (answer: AnswerTo<Kind>) => T,
  ): Asked<T> {
    const answer = this.#ask<Kind, T>(question, read);
    // Not the question itself, which would be kept for as long as it is held.
    const { requestId } = question;
    return {
      answer,
      forget: () => {
        this.#forget(requestId, new ScriptdError('FORGOTTEN', 'nobody waits for it'));
      },
    };
  }

  /** @param read what the caller wants of the answer */
  #ask<Kind extends QuestionKind, T>(
    question: MessageOf<Kind> & Question,
    read: (answer: AnswerTo<Kind>) => T,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const refused = this.#whyNot(question);
      if (refused) {
        reject(refused);
        return;
      }
      const request: Request = {
        question,
        bytes: bytesOf(question),
        sent: false,
        broken: 0,
        giveUpAtMs: undefined,
        timer: undefined,
        // Its kind is compared before.
        resolve: (answer) => resolve(read(answer as AnswerTo<Kind>)),
        reject,
      };
      this.#requests.set(question.requestId, request);
      if (isHeld(question)) this.#heldCount++;
      this.#keptBytes += request.bytes;
      if (this.connected) this.#send(request);
      else this.#wait(request);
    });
  }

  /** Why no further request is taken, if so. */
  #whyNot(question: Question): ScriptdError | undefined {
    if (this.#closed) return new ScriptdError('DRAINING', 'this HTTP daemon is being stopped');
    if (this.#requests.size >= httpLimits.requestsMax) {
      const text = `${httpLimits.requestsMax} requests wait for the controller already; try later`;
      return new ScriptdError('OVERLOADED', text);
    }
    if (isHeld(question) && this.#heldCount >= httpLimits.heldRequestsMax) {
      const text = `${httpLimits.heldRequestsMax} requests wait for tasks to finish already; try later`;
      return new ScriptdError('OVERLOADED', text);
    }
    if (this.#keptBytes + bytesOf(question) > httpLimits.keptBytesMax) {
      return new ScriptdError('OVERLOADED', 'too much waits for the controller; try later');
    }
    if ((this.#connection?.queuedBytes ?? 0) > httpLimits.queuedBytesMax) {
      return new ScriptdError('OVERLOADED', 'the controller is behind with reading; try later');
    }
    return undefined;
  }

  #send(request: Request): void {
    clearTimeout(request.timer);
    request.sent = true;
    // They may last for days and outlive several connections; the others have one wait in all.
    const { kind } = request.question;
    if (kind === 'watch' || kind === 'followTask') request.giveUpAtMs = undefined;
    this.#connection?.send(request.question);
    if (!isRepeatable(request.question)) this.#letGo(request);
  }

  /** What is not sent again need not be kept; who waits for a task's end may wait for long. */
  #letGo(request: Request): void {
    this.#keptBytes -= request.bytes;
    request.bytes = 0;
    if (request.question.kind === 'submit') request.question.task = letGoTask;
  }

  #wait(request: Request): void {
    const nowMs = performance.now();
    request.sent = false;
    request.giveUpAtMs ??= nowMs + this.#options.controllerWaitMs;
    request.timer = setTimeout(
      () => {
        const waited = `${this.#options.controllerWaitMs} ms`;
        const text = `there was no connection to the controller for ${waited}`;
        this.#drop(request, new ScriptdError('CONTROLLER_UNAVAILABLE', text));
      },
      Math.max(0, request.giveUpAtMs - nowMs),
    );
  }

  /** Rejects a request that is taken back. Of one that may run on, the controller is told. */
  #forget(requestId: number, error: ScriptdError): void {
    const request = this.#requests.get(requestId);
    if (!request) return;
    if (request.sent && isHeld(request.question)) {
      this.#connection?.send({ kind: 'forget', requestId });
    }
    this.#drop(request, error);
  }

  #drop(request: Request, error: ScriptdError): void {
    this.#settle(request);
    request.reject(error);
  }

  #settle(request: Request): void {
    clearTimeout(request.timer);
    const { question } = request;
    if (!this.#requests.delete(question.requestId)) return;
    if (isHeld(question)) this.#heldCount--;
    this.#letGo(request);
  }

  #connect(): void {
    const { poller, transport, address, token } = this.#options;
    this.#connection = new Connection(
      transport.connect(poller, address),
      'initiator',
      { local: this.#identity, token, channel: 'client', traffic: this.traffic },
      {
        onOpen: () => this.#opened(),
        onMessage: (message, connection) => this.#receive(message, connection),
        onClose: (error) => this.#lost(error),
      },
    );
  }

  #opened(): void {
    this.#openedAtMs = performance.now();
    this.#lastFaultCode = undefined;
    this.#options.log.info('connected to the controller');
    for (const request of this.#requests.values()) this.#send(request);
  }

  #lost(error: ScriptdError): void {
    const livedMs = this.#openedAtMs === undefined ? 0 : performance.now() - this.#openedAtMs;
    this.#connection = undefined;
    this.#openedAtMs = undefined;
    if (this.#closed) return;
    this.#logLoss(error);
    for (const request of [...this.#requests.values()]) this.#interrupt(request, error);
    // Only a connection that held makes the waits short again, not one that breaks at once.
    if (livedMs >= httpLimits.reconnectMsMax) this.#reconnectMs = httpLimits.reconnectMsMin;
    this.#reconnectTimer = setTimeout(() => this.#connect(), this.#reconnectMs);
    this.#reconnectMs = Math.min(2 * this.#reconnectMs, httpLimits.reconnectMsMax);
  }

  /** A connection that fails again and again in the same way is told of once. */
  #logLoss(error: ScriptdError): void {
    const repeated = error.code === this.#lastFaultCode;
    this.#lastFaultCode = error.code;
    const level = repeated ? 'debug' : 'warn';
    this.#options.log[level](closeReason(error), 'no connection to the controller; trying again');
  }

  /** What becomes of a request when the connection breaks. */
  #interrupt(request: Request, error: ScriptdError): void {
    if (!request.sent) return;
    if (mayHaveBroken(request.question, error)) request.broken++;
    const isAnswered = request.broken >= httpLimits.brokenByAnswerMax;
    if (isRepeatable(request.question) && !isAnswered) {
      this.#wait(request);
      return;
    }
    const text = isAnswered
      ? 'what the controller answered was not valid, each time; run the same version everywhere'
      : 'the connection to the controller broke before its answer came; ' +
        'it may have done what was asked, or not';
    this.#drop(request, new ScriptdError('CONTROLLER_LOST', text));
  }

  #receive(message: Message, connection: Connection): void {
    if (message.kind !== 'refused' && !isAnswer(message)) return;
    const request = this.#requests.get(message.requestId);
    if (!request) {
      // An answer may cross a `forget`; one to what was never asked may not come.
      if (message.requestId > this.#lastRequestId) outOfState(message, connection);
    } else if (!request.sent) {
      outOfState(message, connection);
    } else if (message.kind === 'refused') {
      this.#drop(request, new Refusal(message));
    } else if (message.kind === questions[request.question.kind].answer) {
      this.#settle(request);
      request.resolve(message);
    } else {
      outOfState(message, connection);
    }
  }
}

/** Of a frame that could not be read nobody knows what it answered; who waits for long is spared. */
function mayHaveBroken(question: Question, error: ScriptdError): boolean {
  if (error.code === 'FRAME_MALFORMED') return !isHeld(question);
  const { requestId } = error as { requestId?: unknown };
  return error.code === 'MESSAGE_INVALID' && requestId === question.requestId;
}

function outOfState({ kind }: Message, connection: Connection) {
  const text = `the controller sent a ${kind} that was not asked for`;
  connection.close(new ScriptdError('OUT_OF_STATE', text));
}
