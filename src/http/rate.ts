/** How often something may happen. */
export interface Rate {
  /** In the long run. */
  perSecond: number;
  /** At once, after a rest. At least 1. */
  burst: number;
}

/**
 * Waits below this part of what one costs are what rounding leaves of none: a sum of fractions is not
 * exact, and a burst would at times be one short.
 */
const rounding = 1e-6;

/**
 * A token bucket in one number: the time at which it would be full again, as the generic cell rate
 * algorithm keeps it.
 *
 * Source: ITU-T I.371, annex A (virtual scheduling)
 */
export class Bucket {
  readonly rate: Rate;
  readonly #costMs: number;
  readonly #roomMs: number;
  #fullAtMs = Number.NEGATIVE_INFINITY;

  constructor(rate: Rate) {
    this.rate = rate;
    this.#costMs = 1000 / rate.perSecond;
    this.#roomMs = this.#costMs * (rate.burst - 1);
  }

  /**
   * How long until one can be taken; 0: now. Milliseconds.
   *
   * @param nowMs of a clock that never jumps
   * @param spare how many must then be left, as far as the burst has so many
   */
  waitMs(nowMs: number, spare = 0): number {
    const roomMs = Math.max(0, this.#roomMs - spare * this.#costMs);
    const waitMs = this.#fullAtMs - nowMs - roomMs;
    return waitMs < this.#costMs * rounding ? 0 : waitMs;
  }

  /** Takes one if there is one: 0; else how long until there is, in milliseconds. */
  take(nowMs: number, spare = 0): number {
    const waitMs = this.waitMs(nowMs, spare);
    if (waitMs === 0) this.#fullAtMs = Math.max(this.#fullAtMs, nowMs) + this.#costMs;
    return waitMs;
  }
}
