import { randomUUID } from 'node:crypto';
import { ScriptdError } from '../errors.js';
import { limits as maxima } from '../limits.js';
import { type Address, parseAddress } from '../poll/address.js';
import { Poller } from '../poll/poller.js';
import type { Limits, Result } from '../task.js';
import { Connection } from '../wire/connection.js';
import type { Message, MessageOf } from '../wire/messages.js';
import type { WireToken } from '../wire/token.js';

/** What a task of the suite gets that does not ask. */
const limitsDefault: Limits = {
  wallMs: maxima.wallMsDefault,
  cpuMs: maxima.cpuMsDefault,
  outputBytes: maxima.outputBytesDefault,
  diskBytes: maxima.diskBytesDefault,
  openFiles: maxima.openFilesDefault,
  processes: maxima.processesDefault,
};

type Task = Partial<Omit<MessageOf<'execute'>, 'kind' | 'taskId' | 'attempt' | 'limits'>> & {
  code: string;
  limits?: Partial<Limits>;
};

/** One worker's controller, as far as it takes to have it run scripts. */
export class Driver {
  readonly #poller = new Poller();
  readonly #waiting = new Map<string, (result: Result) => void>();
  #receiver: Connection | undefined;
  #emitter: Connection | undefined;
  #fail: (error: ScriptdError) => void = () => undefined;
  readonly #lost = new Promise<never>((_resolve, reject) => {
    this.#fail = reject;
  });

  private constructor() {
    // It is raced against; without a race nobody asks.
    this.#lost.catch(() => undefined);
  }

  /** @throws ScriptdError of the connection */
  static async connect(address: string, token: WireToken): Promise<Driver> {
    const driver = new Driver();
    const instance = randomUUID();
    const open = (channel: 'receiver' | 'emitter') =>
      driver.#open(parseAddress(address), token, channel, instance);
    [driver.#receiver, driver.#emitter] = await Promise.all([open('receiver'), open('emitter')]);
    return driver;
  }

  /** @throws ScriptdError when the worker is lost meanwhile */
  run({ limits, ...task }: Task): Promise<Result> {
    const taskId = randomUUID();
    const result = new Promise<Result>((resolve) => this.#waiting.set(taskId, resolve));
    const all = { ...limitsDefault, ...limits };
    this.#receiver?.send({ kind: 'execute', ...task, taskId, attempt: 1, limits: all });
    return Promise.race([result, this.#lost]);
  }

  close(): void {
    this.#poller.close();
  }

  #open(
    address: Address,
    token: WireToken,
    channel: 'receiver' | 'emitter',
    instance: string,
  ): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = this.#poller.connect(address, { onData: () => undefined });
      const local = { role: 'controller', id: 'selftest', instance } as const;
      new Connection(
        socket,
        'initiator',
        { local, token, channel },
        {
          onOpen: (_peer, connection) => resolve(connection),
          onMessage: (message) => this.#receive(message),
          onClose: (error) => {
            reject(error);
            this.#fail(new ScriptdError('WORKER_LOST', `the worker is lost: ${error.message}`));
          },
        },
      );
    });
  }

  #receive(message: Message): void {
    if (message.kind !== 'result') return;
    const { taskId, attempt, result } = message;
    this.#emitter?.send({ kind: 'acknowledge', results: [{ taskId, attempt }] });
    this.#waiting.get(taskId)?.(result);
    this.#waiting.delete(taskId);
  }
}
