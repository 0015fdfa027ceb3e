import { scoresHigher } from './evaluator.js';
import { Heap } from './heap.js';

/** What the queue needs to know of a task. */
export interface Queued {
  id: string;
  priority: number;
  createdAt: number;
  /** Order of submission; decides between equal scores. */
  sequence: number;
}

/**
 * The pending tasks of one type that may run now, by score. A task that is taken out of turn
 * (cancelled) stays in the heap as a shadow until it comes up or shadows outnumber the rest.
 */
export class ReadyQueue<T extends Queued> {
  #heap = new Heap<T>(before);
  readonly #waiting = new Map<string, T>();

  /** Tasks that wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Entries in memory, shadows included. */
  get heapSize(): number {
    return this.#heap.size;
  }

  add(task: T): void {
    this.#waiting.set(task.id, task);
    this.#heap.push(task);
  }

  /** Takes out the task with the highest score. */
  take(): T | undefined {
    for (let task = this.#heap.pop(); task !== undefined; task = this.#heap.pop()) {
      if (this.#waiting.get(task.id) === task) {
        this.#waiting.delete(task.id);
        return task;
      }
    }
    return undefined;
  }

  /** Takes out one task wherever it stands. False when it is not here. */
  remove(id: string): boolean {
    const removed = this.#waiting.delete(id);
    if (removed && this.#heap.size > 2 * this.#waiting.size + 1024) this.#rebuild();
    return removed;
  }

  #rebuild(): void {
    this.#heap = new Heap<T>(before);
    for (const task of this.#waiting.values()) this.#heap.push(task);
  }
}

function before(a: Queued, b: Queued): boolean {
  if (scoresHigher(a, b)) return true;
  return !scoresHigher(b, a) && a.sequence < b.sequence;
}
