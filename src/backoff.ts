/** Doubling waits between two bounds, with jitter over the upper half of each. */
export class Backoff {
  readonly #minMs: number;
  readonly #maxMs: number;
  #nextMs: number;

  constructor(minMs: number, maxMs: number) {
    this.#minMs = minMs;
    this.#maxMs = maxMs;
    this.#nextMs = minMs;
  }

  /** Milliseconds to wait now; the following wait is twice as long. */
  takeMs(): number {
    const waitMs = this.#nextMs;
    this.#nextMs = Math.min(this.#maxMs, waitMs * 2);
    return waitMs * (0.5 + Math.random() / 2);
  }

  reset(): void {
    this.#nextMs = this.#minMs;
  }
}

/**
 * Exponential backoff with full jitter: evenly distributed over [0, min(cap, base × 2^(attempt-1))).
 *
 * @param attempt how many have failed, from 1
 * @param random evenly distributed over [0, 1)
 * Source: Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 */
export function retryDelayMs(
  policy: { baseMs: number; capMs: number },
  attempt: number,
  random: () => number,
): number {
  return random() * Math.min(policy.capMs, policy.baseMs * 2 ** (attempt - 1));
}
