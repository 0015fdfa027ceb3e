import type { ScriptdError } from '../errors.js';
import { invariant } from '../invariant.js';
import { type Address, formatAddress } from './address.js';
import { pollLimits } from './limits.js';
import { EAGAIN, ECONNABORTED, EINTR, EPROTO } from './native-poller.js';
import { type PollHandle, type Reactor, surface } from './reactor.js';
import { Socket } from './socket.js';
import { systemError } from './system-error.js';

export interface ListenOptions {
  /** Connections that wait to be accepted. Default pollLimits.backlog. */
  backlog?: number;
  /** Permission bits of a Unix socket's file. Default 0o600. */
  mode?: number;
  /**
   * Accepting failed, e.g. with EMFILE: no descriptor is free. The listener waits for
   * pollLimits.acceptPauseMs and tries again; those who connect wait in the backlog.
   */
  onError?: (error: ScriptdError) => void;
}

/** These tell of one connection that is gone again (accept(2)); the next may be well. */
const PASSING = new Set([-ECONNABORTED, -EINTR, -EPROTO]);

/** Accepts connections until it is closed; closing removes a Unix socket's file. */
export class Listener implements PollHandle {
  /** Where it listens; the port that the kernel chose when 0 was asked for. */
  readonly address: Address;
  readonly token: number;

  readonly #reactor: Reactor;
  readonly #onConnection: (socket: Socket) => void;
  readonly #onError: ((error: ScriptdError) => void) | undefined;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  /** Made by Poller only. */
  constructor(
    reactor: Reactor,
    address: Address,
    token: number,
    options: ListenOptions,
    onConnection: (socket: Socket) => void,
  ) {
    this.address = address;
    this.token = token;
    this.#reactor = reactor;
    this.#onConnection = onConnection;
    this.#onError = options.onError;
    reactor.register(this);
  }

  get closed(): boolean {
    return this.#closed;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#reactor.remove(this);
  }

  /** For Reactor. */
  handleEvent(): void {
    for (let accepted = 0; accepted < pollLimits.acceptsPerWakeMax && !this.#closed; accepted++) {
      const token = this.#reactor.native.accept(this.token);
      if (token === -EAGAIN) return;
      if (token >= 0) this.#take(token);
      else if (!PASSING.has(token)) {
        this.#pause(-token);
        return;
      }
    }
  }

  #take(token: number): void {
    const socket = new Socket(this.#reactor, {
      name: `connection to ${formatAddress(this.address)}`,
      readable: true,
      writable: true,
      isSocket: true,
    });
    socket.open(token);
    if (this.address.kind === 'tcp') socket.tuneTcp();
    try {
      this.#onConnection(socket);
      invariant(socket.hasHandlers || socket.closed, 'onConnection must call setHandlers');
    } catch (error) {
      socket.close();
      surface(error);
    }
  }

  #pause(errno: number): void {
    this.#reactor.native.setInterest(this.token, false, false);
    this.#retry = setTimeout(() => {
      this.#reactor.native.setInterest(this.token, true, false);
    }, pollLimits.acceptPauseMs);
    this.#onError?.(systemError(`accept on ${formatAddress(this.address)}`, 'accept4', errno));
  }
}
