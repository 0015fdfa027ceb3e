import type { Address } from '../poll/address.js';

/** A worker that there should be, and where it listens. */
export interface WorkerPlace {
  /** Unique, e.g. `python-1`. */
  name: string;
  type: string;
  slots: number;
  address: Address;
}

/** Starts and restarts workers. Implementations: managers/local.ts; on Kubernetes, pods. */
export interface WorkerManager {
  /** The workers that there should be. */
  readonly places: readonly WorkerPlace[];
  /** Nobody answers at this place (any more): see that somebody will. Called again and again. */
  ensure(place: WorkerPlace): void;
  /** The worker there does not do what it is told: end it. `pid` is what it said of itself. */
  replace(place: WorkerPlace, pid: number | undefined): void;
  /** No more starts; workers that run go on (controller restart). */
  stop(): void;
  /**
   * Fulfilled when no worker is left; ends those that do not go.
   *
   * @param pids of workers that were connected, whoever had started them
   */
  finish(waitMs: number, pids: readonly number[]): Promise<void>;
}
