import type { PollHandle, Reactor } from './reactor.js';
import { closedError, systemError } from './system-error.js';

/** One timerfd on CLOCK_MONOTONIC: goes off once each time that it is set. */
export class Timer implements PollHandle {
  readonly token: number;

  readonly #reactor: Reactor;
  readonly #onExpire: () => void;
  #armed = false;
  #armedInBatch = 0;
  #closed = false;

  /** Made by Poller only. */
  constructor(reactor: Reactor, token: number, onExpire: () => void) {
    this.token = token;
    this.#reactor = reactor;
    this.#onExpire = onExpire;
    reactor.register(this);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Set, and has not gone off. */
  get armed(): boolean {
    return this.#armed;
  }

  /**
   * Goes off `ms` from now, fractions allowed; replaces an earlier time, whose expiry is not
   * reported any more.
   *
   * @throws ScriptdError CLOSED
   * @throws RangeError for what is no number of milliseconds
   */
  setAfter(ms: number): void {
    if (this.#closed) throw closedError('the timer');
    if (!(ms >= 0 && ms <= TIMER_MS_MAX)) throw new RangeError(`can't wait for ${ms} ms`);
    this.#armed = true;
    this.#armedInBatch = this.#reactor.batch;
    this.#check(this.#reactor.native.armTimer(this.token, ms));
  }

  /** It does not go off, also when it has expired and was not reported yet. */
  clear(): void {
    if (!this.#armed || this.#closed) return;
    this.#armed = false;
    this.#check(this.#reactor.native.disarmTimer(this.token));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#armed = false;
    this.#reactor.remove(this);
  }

  /** For Reactor. */
  handleEvent(_events: number, result: number): void {
    const setSince = this.#armedInBatch === this.#reactor.batch;
    if (result !== 1 || !this.#armed || setSince) return;
    this.#armed = false;
    this.#onExpire();
  }

  #check(result: number): void {
    if (result < 0) throw systemError('the timer', 'timerfd_settime', -result);
  }
}

/** Three years. */
const TIMER_MS_MAX = 1e11;
