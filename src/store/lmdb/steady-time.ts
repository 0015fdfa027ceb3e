import type { Clock } from '../../clock.js';
import { lmdbStoreLimits } from '../limits.js';

/**
 * The wall clock for what can't be undone. One that jumps ahead is not believed at once: it may be put
 * right again. Until then time passes as it did.
 */
export class SteadyTime {
  readonly #clock: Clock;
  /** What the wall clock is ahead of the monotonic one, as far as it is believed. */
  #aheadMs: number | undefined;
  /** When it was first seen to be farther ahead; monotonic. */
  #jumpedAtMs: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds since 1970-01-01 UTC. */
  nowMs(): number {
    const monotonicMs = this.#clock.monotonicMs();
    const aheadMs = this.#clock.wallMs() - monotonicMs;
    const { jumpMs, jumpBelievedMs } = lmdbStoreLimits;
    const jumped = this.#aheadMs !== undefined && aheadMs > this.#aheadMs + jumpMs;
    this.#jumpedAtMs = jumped ? (this.#jumpedAtMs ?? monotonicMs) : undefined;
    if (!jumped || monotonicMs - (this.#jumpedAtMs ?? monotonicMs) >= jumpBelievedMs) {
      this.#aheadMs = aheadMs;
    }
    return monotonicMs + (this.#aheadMs ?? aheadMs);
  }
}
