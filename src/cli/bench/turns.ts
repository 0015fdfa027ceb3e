/** How much is sent, and when. */
export interface Pace {
  /** Of these two the first that is reached; one at least is there. */
  tasks?: number | undefined;
  forMs?: number | undefined;
  /** Tasks that go in one request. */
  perRequest: number;
  /** Tasks per second, whatever becomes of those before; without it, the next when there is room. */
  perSecond?: number | undefined;
}

/** One request. */
export interface Turn {
  tasks: number;
  /** When it is to be sent; without a rate, at once. */
  dueMs?: number;
}

/** Hands out what is to be sent, in order, until there is no more. Times are of the caller's clock. */
export class Turns {
  readonly #pace: Pace;
  readonly #startMs: number;
  /** Tasks that were handed out. */
  #taken = 0;

  constructor(pace: Pace, startMs: number) {
    this.#pace = pace;
    this.#startMs = startMs;
  }

  /** The next request; undefined when nothing is left, or the time is up. */
  take(nowMs: number): Turn | undefined {
    const { tasks = Number.POSITIVE_INFINITY, forMs, perRequest, perSecond } = this.#pace;
    const size = Math.min(perRequest, tasks - this.#taken);
    const endMs = this.#startMs + (forMs ?? Number.POSITIVE_INFINITY);
    const dueMs =
      perSecond === undefined ? undefined : this.#startMs + (this.#taken / perSecond) * 1_000;
    if (size <= 0 || Math.max(nowMs, dueMs ?? nowMs) >= endMs) return undefined;
    this.#taken += size;
    return { tasks: size, ...(dueMs !== undefined && { dueMs }) };
  }
}
