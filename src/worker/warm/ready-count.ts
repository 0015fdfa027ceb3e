import { workerLimits } from '../limits.js';

/**
 * How many processes to hold ready: as many as were wanted at once lately, at least one. A burst
 * raises it at once, and when it is over the surplus is given up after `demandMs`.
 */
export class ReadyCount {
  readonly #readyMax: number;
  readonly #readyMin: number;
  #level: number;
  /** Most at once since `#sinceMs`. */
  #peak = 0;
  #sinceMs: number;
  #usedAtMs: number;

  constructor(readyMax: number, nowMs: number) {
    this.#readyMax = readyMax;
    this.#readyMin = Math.min(1, readyMax);
    this.#level = this.#readyMin;
    this.#sinceMs = nowMs;
    this.#usedAtMs = nowMs;
  }

  /** So many run at this moment, one of which has just begun. */
  wanted(running: number, nowMs: number): void {
    this.#usedAtMs = nowMs;
    this.#peak = Math.max(this.#peak, running);
    this.#level = Math.max(this.#level, Math.min(running, this.#readyMax));
    if (nowMs - this.#sinceMs < workerLimits.demandMs) return;
    this.#level = Math.max(this.#readyMin, Math.min(this.#peak, this.#readyMax));
    this.#peak = running;
    this.#sinceMs = nowMs;
  }

  /** Processes to hold ready. */
  ready(nowMs: number): number {
    return nowMs - this.#usedAtMs >= workerLimits.demandMs ? this.#readyMin : this.#level;
  }

  /** Since when nobody has wanted one. */
  get usedAtMs(): number {
    return this.#usedAtMs;
  }
}
