import type { MessageOf } from '../wire/messages.js';

export type ExecuteMessage = MessageOf<'execute'>;

/** An attempt that waits for a slot. */
export interface Waiting {
  task: ExecuteMessage;
  /** When `execute` came, on the worker's monotonic clock. */
  receivedAtMs: number;
}

/** One attempt as text, for maps and logs. */
export function attemptKey(attempt: { taskId: string; attempt: number }): string {
  return `${attempt.taskId}#${attempt.attempt}`;
}

/** Attempts between the receiver and the slots: first in, first out, bounded. */
export class WaitingQueue {
  readonly #capacity: number;
  // A Map goes through its entries in the order in which they came.
  readonly #waiting = new Map<string, Waiting>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#waiting.size;
  }

  get full(): boolean {
    return this.#waiting.size >= this.#capacity;
  }

  has(key: string): boolean {
    return this.#waiting.has(key);
  }

  /** False when it is full. */
  push(waiting: Waiting): boolean {
    if (this.full) return false;
    this.#waiting.set(attemptKey(waiting.task), waiting);
    return true;
  }

  /** Takes the one that has waited longest. */
  shift(): Waiting | undefined {
    for (const [key, waiting] of this.#waiting) {
      this.#waiting.delete(key);
      return waiting;
    }
    return undefined;
  }

  /** Takes one out of its turn. */
  take(key: string): Waiting | undefined {
    const waiting = this.#waiting.get(key);
    this.#waiting.delete(key);
    return waiting;
  }

  [Symbol.iterator](): IterableIterator<Waiting> {
    return this.#waiting.values();
  }
}
