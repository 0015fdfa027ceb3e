import { invariant } from '../invariant.js';

/** A connected worker as the scheduler sees it. */
export interface WorkerState {
  readonly id: string;
  readonly type: string;
  readonly slots: number;
  /** Attempts that it has, by `taskId/attempt`. */
  readonly attempts: Set<string>;
  /** Drains: gets nothing new. */
  draining: boolean;
}

/**
 * The connected workers, and per type those with a free slot, in turn: whoever just got or ended
 * an attempt stands at the end.
 */
export class Workers {
  readonly #byId = new Map<string, WorkerState>();
  readonly #free = new Map<string, Set<WorkerState>>();

  get size(): number {
    return this.#byId.size;
  }

  get(id: string): WorkerState | undefined {
    return this.#byId.get(id);
  }

  all(): IterableIterator<WorkerState> {
    return this.#byId.values();
  }

  add(id: string, type: string, slots: number): WorkerState {
    invariant(!this.#byId.has(id), `worker ${id} is connected twice`);
    const worker = { id, type, slots, attempts: new Set<string>(), draining: false };
    this.#byId.set(id, worker);
    this.#sort(worker);
    return worker;
  }

  remove(id: string): WorkerState | undefined {
    const worker = this.#byId.get(id);
    if (!worker) return undefined;
    this.#byId.delete(id);
    this.#free.get(worker.type)?.delete(worker);
    return worker;
  }

  /** The worker of this type with a free slot whose turn it is, or undefined. */
  withFreeSlot(type: string): WorkerState | undefined {
    for (const worker of this.#free.get(type) ?? []) return worker;
    return undefined;
  }

  occupy(worker: WorkerState, attempt: string): void {
    worker.attempts.add(attempt);
    this.#sort(worker);
  }

  release(worker: WorkerState, attempt: string): void {
    if (worker.attempts.delete(attempt)) this.#sort(worker);
  }

  drain(worker: WorkerState): void {
    worker.draining = true;
    this.#sort(worker);
  }

  #sort(worker: WorkerState): void {
    let free = this.#free.get(worker.type);
    if (!free) {
      free = new Set();
      this.#free.set(worker.type, free);
    }
    const connected = this.#byId.get(worker.id) === worker;
    free.delete(worker);
    if (connected && !worker.draining && worker.attempts.size < worker.slots) free.add(worker);
  }
}
