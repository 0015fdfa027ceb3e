import type { Address } from '../poll/address.js';

/** A worker, by what it is. */
export interface WorkerSeat {
  /** Unique, e.g. `python-1`. */
  name: string;
  type: string;
  slots: number;
  /** A process of this host, whose loss is known at once. Of others it may be the network's. */
  local: boolean;
}

/** A worker that there should be, and where it listens. */
export interface WorkerPlace extends WorkerSeat {
  address: Address;
}

export interface PlaceHandlers {
  onAdded(place: WorkerPlace): void;
  /** Its worker has just begun to listen. Not every manager knows when. */
  onListening(place: WorkerPlace): void;
  /** What it had is lost at once: a manager drains it first. */
  onRemoved(place: WorkerPlace): void;
}

/** What there is to do of one type, and who does it. */
export interface TypeLoad {
  type: string;
  /** Tasks that could be dispatched. */
  ready: number;
  /** Tasks that wait for their time. */
  waiting: number;
  /** Tasks that are on a worker. */
  running: number;
  /** Connected ones, by name. `busy`: attempts that it has. */
  workers: ReadonlyMap<string, { busy: number; slots: number; draining: boolean }>;
  /** Names of those that are not, and whose tasks wait for them to come back. */
  awaited: ReadonlySet<string>;
}

/** Starts and restarts workers. Implementations: managers/; on Kubernetes, pods. */
export interface WorkerManager {
  /** Types that there are or can be workers for, those without a place at the moment included. */
  readonly types: readonly string[];
  /** Whether a type has no worker while there is nothing to do: that none is there is no fault then. */
  mayLack?(type: string): boolean;
  /** Tells of each place there is, at once or later, and of those that go. Called once. */
  start(handlers: PlaceHandlers): void;
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
  /** What there is to do, once a second: a manager that scales goes by it. */
  load?(types: readonly TypeLoad[]): void;
  /**
   * Somebody has this worker finish what it has and exit. Where the load decides how many there are, it
   * decides whether another comes; without this one takes its place in any case.
   */
  retire?(name: string): void;
  /**
   * Has a worker finish what it has, take nothing new, and exit. Set by the controller before
   * `start`.
   */
  drain?: (name: string) => void;
}
