import { randomUUID } from 'node:crypto';
import { ScriptdError } from '../errors.js';
import type { Log } from '../log.js';
import type { Address } from '../poll/address.js';
import type { Poller } from '../poll/poller.js';
import type { TaskSpec, TaskView } from '../task.js';
import { Connection, closeReason } from '../wire/connection.js';
import { wireLimits } from '../wire/limits.js';
import type { Message, MessageOf } from '../wire/messages.js';
import type { WireToken } from '../wire/token.js';
import { type Asked, type ControllerPort, Refusal, type Report } from './controller-port.js';
import { httpLimits } from './limits.js';

export interface ControllerLinkOptions {
  poller: Poller;
  address: Address;
  token: WireToken;
  /** How long a request waits for a connection when there is none. */
  controllerWaitMs: number;
  log: Log;
}

type Question = MessageOf<'submit' | 'get' | 'watch' | 'cancelTask' | 'status'>;
type Answer = MessageOf<'task' | 'report'>;

/** A question that is not answered. It is sent, or waits for a connection under a timer. */
interface Request {
  readonly question: Question;
  readonly expects: Answer['kind'];
  sent: boolean;
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
 *               └──(it breaks; get, watch and status only; the others: CONTROLLER_LOST)
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
  #connection: Connection | undefined;
  #openedAtMs: number | undefined;
  #reconnectMs: number = httpLimits.reconnectMsMin;
  #reconnectTimer: NodeJS.Timeout | undefined;
  #lastFaultCode: string | undefined;
  #closed = false;

  /** Begins to connect at once. */
  constructor(options: ControllerLinkOptions) {
    this.#options = options;
    this.#heartbeat = setInterval(() => this.#connection?.heartbeat(), wireLimits.heartbeatMs);
    this.#connect();
  }

  get connected(): boolean {
    return this.#connection?.open ?? false;
  }

  submit(task: TaskSpec, reply: 'stored' | 'finished'): Asked<TaskView> {
    return this.#askForTask({ kind: 'submit', requestId: this.#nextId(), reply, task });
  }

  get(taskId: string): Promise<TaskView> {
    return this.#askForTask({ kind: 'get', requestId: this.#nextId(), taskId }).answer;
  }

  watch(taskId: string): Asked<TaskView> {
    return this.#askForTask({ kind: 'watch', requestId: this.#nextId(), taskId });
  }

  cancelTask(taskId: string): Promise<TaskView> {
    return this.#askForTask({ kind: 'cancelTask', requestId: this.#nextId(), taskId }).answer;
  }

  status(): Promise<Report> {
    const question = { kind: 'status', requestId: this.#nextId() } as const;
    return this.#ask(question, 'report') as Promise<Report>;
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

  #nextId(): number {
    return ++this.#lastRequestId;
  }

  #askForTask(question: Question): Asked<TaskView> {
    const answer = this.#ask(question, 'task') as Promise<MessageOf<'task'>>;
    return {
      answer: answer.then(({ task }) => task),
      forget: () => {
        this.#forget(question.requestId, new ScriptdError('FORGOTTEN', 'nobody waits for it'));
      },
    };
  }

  #ask(question: Question, expects: Answer['kind']): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const refused = this.#whyNot();
      if (refused) {
        reject(refused);
        return;
      }
      const request: Request = {
        question,
        expects,
        sent: false,
        giveUpAtMs: undefined,
        timer: undefined,
        resolve,
        reject,
      };
      this.#requests.set(question.requestId, request);
      if (this.connected) this.#send(request);
      else this.#wait(request);
    });
  }

  /** Why no further request is taken, if so. */
  #whyNot(): ScriptdError | undefined {
    if (this.#closed) return new ScriptdError('DRAINING', 'this HTTP daemon is being stopped');
    if (this.#requests.size >= httpLimits.requestsMax) {
      const text = `${httpLimits.requestsMax} requests wait for the controller already; try later`;
      return new ScriptdError('OVERLOADED', text);
    }
    if ((this.#connection?.queuedBytes ?? 0) > httpLimits.queuedBytesMax) {
      return new ScriptdError('OVERLOADED', 'the controller is behind with reading; try later');
    }
    return undefined;
  }

  #send(request: Request): void {
    clearTimeout(request.timer);
    request.sent = true;
    // A watch may last for days and outlive several connections; the others have one wait in all.
    if (request.question.kind === 'watch') request.giveUpAtMs = undefined;
    this.#connection?.send(request.question);
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
    this.#requests.delete(request.question.requestId);
  }

  #connect(): void {
    const { poller, address, token } = this.#options;
    // The connection sets its own handlers at once; these only stand in until then.
    const socket = poller.connect(address, { onData: (chunk) => void chunk });
    this.#connection = new Connection(
      socket,
      'initiator',
      { local: this.#identity, token, channel: 'client' },
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
    for (const request of [...this.#requests.values()]) this.#interrupt(request);
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
  #interrupt(request: Request): void {
    if (!request.sent) return;
    if (isRepeatable(request.question)) {
      this.#wait(request);
      return;
    }
    const text =
      'the connection to the controller broke before its answer came; ' +
      'it may have done what was asked, or not';
    this.#drop(request, new ScriptdError('CONTROLLER_LOST', text));
  }

  #receive(message: Message, connection: Connection): void {
    if (message.kind !== 'task' && message.kind !== 'report' && message.kind !== 'refused') return;
    const request = this.#requests.get(message.requestId);
    if (!request) {
      // An answer may cross a `forget`; one to what was never asked may not come.
      if (message.requestId > this.#lastRequestId) outOfState(message, connection);
    } else if (!request.sent) {
      outOfState(message, connection);
    } else if (message.kind === 'refused') {
      this.#drop(request, new Refusal(message.code, message.message, message.field));
    } else if (message.kind === request.expects) {
      this.#settle(request);
      request.resolve(message);
    } else {
      outOfState(message, connection);
    }
  }
}

function outOfState(message: MessageOf<'task' | 'report' | 'refused'>, connection: Connection) {
  const text = `the controller sent a ${message.kind} that was not asked for`;
  connection.close(new ScriptdError('OUT_OF_STATE', text));
}

/** Asking twice does no more than asking once. */
function isRepeatable({ kind }: Question): boolean {
  return kind === 'get' || kind === 'watch' || kind === 'status';
}

/** The controller holds the answer until the task is finished. */
function isHeld(question: Question): boolean {
  return question.kind === 'watch' || (question.kind === 'submit' && question.reply === 'finished');
}
