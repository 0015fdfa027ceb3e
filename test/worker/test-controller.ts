import { randomUUID } from 'node:crypto';
import { limits as maxima } from '../../src/limits.js';
import { parseAddress } from '../../src/poll/address.js';
import { Poller } from '../../src/poll/poller.js';
import type { Limits, Result } from '../../src/task.js';
import { Connection } from '../../src/wire/connection.js';
import type { Message, MessageOf } from '../../src/wire/messages.js';

export const token = Buffer.from('a token that only tests know');

export const defaultLimits: Limits = {
  wallMs: 20_000,
  cpuMs: 20_000,
  outputBytes: maxima.outputBytesDefault,
  diskBytes: maxima.diskBytesDefault,
  openFiles: maxima.openFilesDefault,
  processes: maxima.processesDefault,
};

type Request = Partial<Omit<MessageOf<'execute'>, 'limits' | 'kind'>> & {
  code: string;
  limits?: Partial<Limits>;
};

/** Speaks the real wire to a worker, as its controller does. */
export class TestController {
  readonly poller = new Poller();
  readonly instance = randomUUID();
  /** Every message that came, in order. */
  readonly messages: Message[] = [];
  acknowledges = true;
  receiver: Connection | undefined;
  emitter: Connection | undefined;
  /** Why connections ended, in order. */
  readonly closings: string[] = [];
  readonly #address: string;
  #watchers: { holds: () => boolean; resolve: () => void }[] = [];

  constructor(address: string) {
    this.#address = address;
  }

  static async connect(address: string, acknowledges = true): Promise<TestController> {
    const controller = new TestController(address);
    controller.acknowledges = acknowledges;
    await controller.connect();
    return controller;
  }

  async connect(): Promise<void> {
    [this.receiver, this.emitter] = await Promise.all([
      this.open('receiver'),
      this.open('emitter'),
    ]);
    await this.until(() => this.has('inventory'));
  }

  open(channel: 'receiver' | 'emitter', proof = token): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = this.poller.connect(parseAddress(this.#address), {
        onData: () => undefined,
        onClose: (error) => reject(error ?? new Error('closed')),
      });
      const local = { role: 'controller', id: 'test', instance: this.instance } as const;
      new Connection(
        socket,
        'initiator',
        { local, token: proof, channel },
        {
          onOpen: (_peer, opened) => resolve(opened),
          onMessage: (message, from) => this.#receive(message, from),
          onClose: (error) => {
            this.closings.push(error.code);
            this.#check();
            reject(error);
          },
        },
      );
    });
  }

  has(kind: Message['kind']): boolean {
    return this.messages.some((message) => message.kind === kind);
  }

  all<Kind extends Message['kind']>(kind: Kind): MessageOf<Kind>[] {
    return this.messages.filter((message) => message.kind === kind) as MessageOf<Kind>[];
  }

  /** Sends an execute and returns its key. */
  start({ code, limits, ...rest }: Request): { taskId: string; attempt: number } {
    const taskId = rest.taskId ?? randomUUID();
    const attempt = rest.attempt ?? 1;
    const all = { ...defaultLimits, ...limits };
    this.receiver?.send({ kind: 'execute', ...rest, taskId, attempt, code, limits: all });
    return { taskId, attempt };
  }

  /** Runs one script to its result. */
  async run(request: Request): Promise<Result> {
    return await this.result(this.start(request));
  }

  async result(key: { taskId: string; attempt: number }): Promise<Result> {
    await this.until(() => this.resultsOf(key).length > 0);
    return this.resultsOf(key)[0] as Result;
  }

  async started(key: { taskId: string; attempt: number }): Promise<void> {
    const isIt = (message: MessageOf<'started'>) =>
      message.taskId === key.taskId && message.attempt === key.attempt;
    await this.until(() => this.all('started').some(isIt));
  }

  resultsOf({ taskId, attempt }: { taskId: string; attempt: number }): Result[] {
    return this.all('result')
      .filter((message) => message.taskId === taskId && message.attempt === attempt)
      .map((message) => message.result);
  }

  cancel(
    key: { taskId: string; attempt: number },
    cause: MessageOf<'cancel'>['cause'] = 'caller',
  ): void {
    this.receiver?.send({ kind: 'cancel', ...key, cause });
  }

  acknowledge(...results: { taskId: string; attempt: number }[]): void {
    this.emitter?.send({ kind: 'acknowledge', results });
  }

  /** Until `holds` is true; looked at after each message and each closing. */
  async until(holds: () => boolean): Promise<void> {
    if (holds()) return;
    await new Promise<void>((resolve) => this.#watchers.push({ holds, resolve }));
  }

  /** Whatever was sent before has been handled by the worker when this returns. */
  async roundTrip(): Promise<void> {
    await this.run({ code: '' });
  }

  disconnect(): void {
    this.receiver?.close();
    this.emitter?.close();
  }

  close(): void {
    this.poller.close();
  }

  #receive(message: Message, from: Connection): void {
    this.messages.push(message);
    if (message.kind === 'result' && this.acknowledges) {
      const { taskId, attempt } = message;
      from.send({ kind: 'acknowledge', results: [{ taskId, attempt }] });
    }
    this.#check();
  }

  #check(): void {
    this.#watchers = this.#watchers.filter(({ holds, resolve }) => {
      if (!holds()) return true;
      resolve();
      return false;
    });
  }
}
