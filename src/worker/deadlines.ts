/** One timer that can be set anew, such as a timerfd. */
export interface SingleTimer {
  setAfter(delayMs: number): void;
  clear(): void;
  close(): void;
}

/** One deadline that is pending until it expires or is cleared. */
export interface Deadline {
  clear(): void;
}

interface Entry {
  atMs: number;
  onExpire: () => void;
  /** Place in the heap; -1 when it is no longer there. */
  index: number;
}

/**
 * Any number of deadlines on one timer: a binary heap, the earliest at its root, and the timer set
 * to that one.
 *
 * Invariant: each entry's `index` is its place, and no entry is earlier than its parent.
 */
export class Deadlines {
  readonly #timer: SingleTimer;
  readonly #nowMs: () => number;
  readonly #heap: Entry[] = [];

  /** @param createTimer given what to call on expiry */
  constructor(createTimer: (onExpire: () => void) => SingleTimer, nowMs: () => number) {
    this.#timer = createTimer(() => this.#expire());
    this.#nowMs = nowMs;
  }

  /** Deadlines that are pending. */
  get size(): number {
    return this.#heap.length;
  }

  /** Calls `onExpire` once when `atMs` of the clock has come, unless it is cleared before. */
  add(atMs: number, onExpire: () => void): Deadline {
    const entry: Entry = { atMs, onExpire, index: this.#heap.length };
    this.#heap.push(entry);
    this.#rise(entry);
    if (entry.index === 0) this.#arm();
    return { clear: () => this.#clear(entry) };
  }

  close(): void {
    for (const entry of this.#heap) entry.index = -1;
    this.#heap.length = 0;
    this.#timer.close();
  }

  #clear(entry: Entry): void {
    if (entry.index < 0) return;
    const wasFirst = entry.index === 0;
    this.#remove(entry);
    if (wasFirst) this.#arm();
  }

  #expire(): void {
    const nowMs = this.#nowMs();
    try {
      for (let first = this.#heap[0]; first && first.atMs <= nowMs; first = this.#heap[0]) {
        this.#remove(first);
        first.onExpire();
      }
    } finally {
      // Also when one throws: the others are due all the same.
      this.#arm();
    }
  }

  #arm(): void {
    const first = this.#heap[0];
    if (first) this.#timer.setAfter(Math.max(0, first.atMs - this.#nowMs()));
    else this.#timer.clear();
  }

  #remove(entry: Entry): void {
    const last = this.#heap.pop();
    const { index } = entry;
    entry.index = -1;
    if (!last || last === entry) return;
    this.#place(last, index);
    this.#rise(last);
    this.#sink(last);
  }

  #rise(entry: Entry): void {
    while (entry.index > 0) {
      const parent = this.#heap[(entry.index - 1) >> 1];
      if (!parent || parent.atMs <= entry.atMs) return;
      this.#swap(parent, entry);
    }
  }

  #sink(entry: Entry): void {
    for (;;) {
      const left = this.#heap[2 * entry.index + 1];
      const right = this.#heap[2 * entry.index + 2];
      const child = right && left && right.atMs < left.atMs ? right : left;
      if (!child || child.atMs >= entry.atMs) return;
      this.#swap(entry, child);
    }
  }

  #swap(upper: Entry, lower: Entry): void {
    const { index } = upper;
    this.#place(upper, lower.index);
    this.#place(lower, index);
  }

  #place(entry: Entry, index: number): void {
    this.#heap[index] = entry;
    entry.index = index;
  }
}
