import { Heap } from './heap.js';

interface Deadline<T> {
  atMs: number;
  what: T;
}

/**
 * What has to happen when, on a monotonic clock that the caller passes in. Entries are not removed
 * when they lose their meaning: whoever takes one out checks whether it still holds.
 */
export class Deadlines<T> {
  #heap = new Heap<Deadline<T>>(earlier);

  add(atMs: number, what: T): void {
    this.#heap.push({ atMs, what });
  }

  /** When the next one is due, or undefined. */
  get nextMs(): number | undefined {
    return this.#heap.peek()?.atMs;
  }

  get size(): number {
    return this.#heap.size;
  }

  /** Takes out one that is due, or undefined. */
  takeDue(nowMs: number): T | undefined {
    const next = this.#heap.peek();
    if (next === undefined || next.atMs > nowMs) return undefined;
    return this.#heap.pop()?.what;
  }

  /** Drops the entries that have lost their meaning. */
  compact(holds: (what: T) => boolean): void {
    const kept = new Heap<Deadline<T>>(earlier);
    for (const deadline of this.#heap.items()) if (holds(deadline.what)) kept.push(deadline);
    this.#heap = kept;
  }
}

function earlier(a: { atMs: number }, b: { atMs: number }): boolean {
  return a.atMs < b.atMs;
}
