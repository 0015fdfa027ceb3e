import type { Prepared } from './prepared.js';
import { ReadyCount } from './ready-count.js';

export interface PoolOptions {
  /** Never more than so many are held. */
  readyMax: number;
  prepare(): Prepared;
  discard(prepared: Prepared): void;
  /** Monotonic. */
  nowMs(): number;
}

/** Processes that wait for tasks which demand the same of their enclosure. First made, first used. */
export class Pool {
  readonly #options: PoolOptions;
  readonly #ready: Prepared[] = [];
  readonly #count: ReadyCount;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#count = new ReadyCount(options.readyMax, options.nowMs());
  }

  get size(): number {
    return this.#ready.length;
  }

  get usedAtMs(): number {
    return this.#count.usedAtMs;
  }

  /** @param wanted at this moment, this one included */
  take(wanted: number): Prepared | undefined {
    this.#count.wanted(wanted, this.#options.nowMs());
    for (;;) {
      const prepared = this.#ready.shift();
      if (!prepared?.failed) return prepared;
      this.#options.discard(prepared);
    }
  }

  /**
   * Makes what is missing, and gives up what is too many.
   *
   * @param room for so many more, at most
   * @throws what `prepare` throws
   */
  level(room: number): void {
    const wanted = this.#count.ready(this.#options.nowMs());
    for (let left = room; left > 0 && this.#ready.length < wanted; left--) {
      this.#ready.push(this.#options.prepare());
    }
    while (this.#ready.length > wanted) this.#discardOne();
  }

  drain(): void {
    while (this.#ready.length > 0) this.#discardOne();
  }

  #discardOne(): void {
    const prepared = this.#ready.shift();
    if (prepared) this.#options.discard(prepared);
  }
}
