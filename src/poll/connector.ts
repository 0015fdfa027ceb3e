import { ScriptdError } from '../errors.js';
import { NO_TOKEN } from './native-poller.js';
import type { PollHandle, Reactor } from './reactor.js';
import { systemError, translated } from './system-error.js';

/** One attempt to connect: opens a descriptor and returns its token. */
export type ConnectAttempt = () => number;

/** Whose connection it is to be. */
export interface Connecting {
  /** The connection stands: takes over its token, which waits to be writable. */
  connected(token: number): void;
  /** No attempt succeeded: with the last one's error, undefined when there was none to make. */
  notConnected(error: ScriptdError | undefined): void;
  close(): void;
}

/** Makes one attempt to connect after the other until one stands. */
export class Connector implements PollHandle {
  /** Of the attempt that is under way. */
  token = NO_TOKEN;

  readonly #reactor: Reactor;
  readonly #what: string;
  /** Still to be made. */
  readonly #attempts: ConnectAttempt[];
  readonly #owner: Connecting;

  /** @param name where to, for messages: 'unix:/run/x.sock' */
  constructor(
    reactor: Reactor,
    name: string,
    attempts: readonly ConnectAttempt[],
    owner: Connecting,
  ) {
    this.#reactor = reactor;
    this.#what = `connect to ${name}`;
    this.#attempts = [...attempts];
    this.#owner = owner;
  }

  start(): void {
    this.#next(undefined);
  }

  /** Gives up: the owner hears nothing more. */
  cancel(): void {
    if (this.token === NO_TOKEN) return;
    this.#reactor.remove(this);
    this.token = NO_TOKEN;
  }

  /** For Reactor: the poller closes. */
  close(): void {
    this.#owner.close();
  }

  /** For Reactor: the attempt has ended. */
  handleEvent(): void {
    const error = this.#reactor.native.takeError(this.token);
    if (error !== 0) {
      this.cancel();
      this.#next(systemError(this.#what, 'connect', Math.abs(error)));
      return;
    }
    const token = this.token;
    this.token = NO_TOKEN;
    this.#owner.connected(token);
  }

  /** @param error of the attempt before */
  #next(error: ScriptdError | undefined): void {
    let last = error;
    for (;;) {
      const attempt = this.#attempts.shift();
      if (attempt === undefined) break;
      try {
        this.token = translated(this.#what, attempt);
        this.#reactor.register(this);
        return;
      } catch (thrown) {
        if (!(thrown instanceof ScriptdError)) throw thrown;
        last = thrown;
      }
    }
    this.#owner.notConnected(last);
  }
}
