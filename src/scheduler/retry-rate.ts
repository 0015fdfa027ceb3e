import { schedulerLimits } from './limits.js';

/** Waits below this are what rounding leaves of none: a sum of fractions is not exact. */
const roundingMs = 0.001;

/**
 * Bounds how fast attempts that failed are tried again, whatever fails: in any T seconds at most
 * `retryBurst` + T × `retriesPerSecond` of one type become ready. A token bucket that is told as the
 * time at which it would be full (GCRA: ITU-T I.371, annex A).
 */
export class RetryRate {
  readonly #intervalMs = 1000 / schedulerLimits.retriesPerSecond;
  readonly #burstMs = (schedulerLimits.retryBurst - 1) * this.#intervalMs;
  #fullAtMs = Number.NEGATIVE_INFINITY;

  /** Takes the next token. When it may be used: now, or later. Monotonic milliseconds. */
  takeMs(nowMs: number): number {
    const fullAtMs = Math.max(this.#fullAtMs, nowMs);
    this.#fullAtMs = fullAtMs + this.#intervalMs;
    const usableMs = fullAtMs - this.#burstMs;
    return usableMs < nowMs + roundingMs ? nowMs : usableMs;
  }
}
