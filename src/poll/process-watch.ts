import type { PollHandle, Reactor } from './reactor.js';

/** Tells once when a process has exited. It does not reap it: the parent does, with waitid(2). */
export class ProcessWatch implements PollHandle {
  readonly token: number;

  readonly #reactor: Reactor;
  readonly #onExit: () => void;
  #closed = false;

  /** Made by Poller only. */
  constructor(reactor: Reactor, token: number, onExit: () => void) {
    this.token = token;
    this.#reactor = reactor;
    this.#onExit = onExit;
    reactor.register(this);
  }

  get closed(): boolean {
    return this.#closed;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reactor.remove(this);
  }

  /** For Reactor. The pidfd stays open while onExit runs. */
  handleEvent(): void {
    try {
      this.#onExit();
    } finally {
      this.close();
    }
  }
}
