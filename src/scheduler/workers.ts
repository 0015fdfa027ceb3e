import { invariant } from '../invariant.js';
import type { Attempt, WorkerState } from './attempt.js';

/** What a worker says of itself. */
export interface WorkerOffer {
  id: string;
  type: string;
  /** Attempts that it runs at once. */
  slots: number;
  /** Attempts that it takes beyond that, to have them at hand. Default 0. */
  prefetch?: number | undefined;
  /** Tells one process of that name from the next. */
  instance?: string | undefined;
  /** Its attempts are not lost before it has been away for so long. Default 0: it is local. */
  reconnectGraceMs?: number | undefined;
}

/** Workers of one type. */
interface Crew {
  /** Those with a free slot, and those without that take more, in turn. */
  readonly free: Set<WorkerState>;
  readonly prefetching: Set<WorkerState>;
  /** Those that have attempts without a slot. */
  readonly stacked: Set<WorkerState>;
  connected: number;
  draining: number;
  slots: number;
  freeSlots: number;
}

/** How many attempts a worker has. */
function loadOf(worker: WorkerState): number {
  return worker.attempts.size + worker.stale.size;
}

function freeSlotsOf(worker: WorkerState): number {
  const away = worker.awayUntilMs !== undefined;
  return away || worker.draining ? 0 : Math.max(0, worker.slots - loadOf(worker));
}

/**
 * The workers, and per type those that can take something, in turn: whoever just got or ended an
 * attempt stands at the end.
 */
export class Workers {
  readonly #byId = new Map<string, WorkerState>();
  readonly #crews = new Map<string, Crew>();

  /** Connected ones and those that are waited for. */
  get size(): number {
    return this.#byId.size;
  }

  get(id: string): WorkerState | undefined {
    return this.#byId.get(id);
  }

  all(): IterableIterator<WorkerState> {
    return this.#byId.values();
  }

  crew(type: string): Crew {
    let crew = this.#crews.get(type);
    if (!crew) {
      crew = {
        free: new Set(),
        prefetching: new Set(),
        stacked: new Set(),
        connected: 0,
        draining: 0,
        slots: 0,
        freeSlots: 0,
      };
      this.#crews.set(type, crew);
    }
    return crew;
  }

  /** @param awayUntilMs set when it is not connected and waited for */
  add(offer: WorkerOffer, awayUntilMs?: number): WorkerState {
    const { id, type, slots, prefetch = 0, instance, reconnectGraceMs = 0 } = offer;
    invariant(!this.#byId.has(id), `worker ${id} is connected twice`);
    const worker: WorkerState = {
      ...{ id, type, slots, prefetch, instance, reconnectGraceMs, awayUntilMs },
      ...{ draining: false, dropped: false },
      attempts: new Map(),
      queued: new Set(),
      stale: new Set(),
    };
    this.#byId.set(id, worker);
    this.#count(worker, 1);
    this.#sort(worker);
    return worker;
  }

  remove(worker: WorkerState): void {
    if (this.#byId.get(worker.id) !== worker) return;
    this.#unsort(worker);
    this.#count(worker, -1);
    this.#byId.delete(worker.id);
  }

  /** It is not connected any more, and waited for. */
  leave(worker: WorkerState, awayUntilMs: number): void {
    this.#unsort(worker);
    this.#count(worker, -1);
    worker.awayUntilMs = awayUntilMs;
    worker.stale.clear();
  }

  /** The worker of this type whose turn it is to get something: free slots first. */
  next(type: string): WorkerState | undefined {
    const { free, prefetching } = this.crew(type);
    for (const worker of free) return worker;
    for (const worker of prefetching) return worker;
    return undefined;
  }

  /** It has the attempt. True when there is a slot for it. */
  occupy(worker: WorkerState, attempt: Attempt): boolean {
    this.#unsort(worker);
    const hasSlot = this.#slotsTaken(worker) < worker.slots;
    worker.attempts.set(attempt.id, attempt);
    if (!hasSlot) worker.queued.add(attempt);
    this.#sort(worker);
    return hasSlot;
  }

  /** It has an attempt that nobody wants; that holds a slot until it ends. */
  occupyStale(worker: WorkerState, id: string): void {
    this.#unsort(worker);
    worker.stale.add(id);
    this.#sort(worker);
  }

  /** It does not have the attempt any more. The one that gets the slot, if there is one. */
  release(worker: WorkerState, id: string): Attempt | undefined {
    const attempt = worker.attempts.get(id);
    if (!attempt && !worker.stale.has(id)) return undefined;
    this.#unsort(worker);
    worker.stale.delete(id);
    worker.attempts.delete(id);
    if (attempt) worker.queued.delete(attempt);
    let promoted: Attempt | undefined;
    if (this.#slotsTaken(worker) < worker.slots) {
      for (const queued of worker.queued) {
        worker.queued.delete(queued);
        promoted = queued;
        break;
      }
    }
    this.#sort(worker);
    return promoted;
  }

  /** By its worker's word the attempt has a slot. */
  promote(worker: WorkerState, attempt: Attempt): void {
    this.#unsort(worker);
    worker.queued.delete(attempt);
    this.#sort(worker);
  }

  drain(worker: WorkerState): void {
    if (worker.draining) return;
    this.#unsort(worker);
    this.#count(worker, -1);
    worker.draining = true;
    this.#count(worker, 1);
    this.#sort(worker);
  }

  #slotsTaken(worker: WorkerState): number {
    return loadOf(worker) - worker.queued.size;
  }

  #count(worker: WorkerState, sign: 1 | -1): void {
    if (worker.awayUntilMs !== undefined) return;
    const crew = this.crew(worker.type);
    crew.connected += sign;
    crew.slots += sign * worker.slots;
    if (worker.draining) crew.draining += sign;
  }

  #unsort(worker: WorkerState): void {
    if (this.#byId.get(worker.id) !== worker) return;
    const crew = this.crew(worker.type);
    crew.free.delete(worker);
    crew.prefetching.delete(worker);
    crew.stacked.delete(worker);
    crew.freeSlots -= freeSlotsOf(worker);
  }

  #sort(worker: WorkerState): void {
    const here = this.#byId.get(worker.id) === worker && worker.awayUntilMs === undefined;
    if (!here) return;
    const crew = this.crew(worker.type);
    crew.freeSlots += freeSlotsOf(worker);
    if (worker.queued.size > 0) crew.stacked.add(worker);
    if (worker.draining) return;
    const load = loadOf(worker);
    if (load < worker.slots) crew.free.add(worker);
    else if (load < worker.slots + worker.prefetch) crew.prefetching.add(worker);
  }
}
