import { Heap } from '../../src/scheduler/heap.js';
import { Random } from './random.js';

interface Happening {
  atMs: number;
  order: number;
  what: () => void;
}

/** Time that only passes when something happens, and what is going to. */
export class World {
  readonly random: Random;
  /** Monotonic milliseconds. */
  nowMs = 0;
  /** What the wall clock is ahead; it jumps. */
  wallAheadMs = 1_700_000_000_000;
  events = 0;
  #order = 0;
  readonly #ahead = new Heap<Happening>(
    (a, b) => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order),
  );

  constructor(seed: number) {
    this.random = new Random(seed);
  }

  get wallMs(): number {
    return this.nowMs + this.wallAheadMs;
  }

  after(delayMs: number, what: () => void): void {
    this.#ahead.push({ atMs: this.nowMs + Math.max(0, delayMs), order: this.#order++, what });
  }

  /** Lets the next thing happen. False when nothing is ahead, or nothing before `untilMs`. */
  step(untilMs = Number.POSITIVE_INFINITY): boolean {
    const next = this.#ahead.peek();
    if (!next || next.atMs > untilMs) return false;
    this.#ahead.pop();
    this.nowMs = next.atMs;
    this.events++;
    next.what();
    return true;
  }
}
