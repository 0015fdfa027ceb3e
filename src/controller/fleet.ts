import { invariant } from '../invariant.js';
import type { Log } from '../log.js';
import type { Poller } from '../poll/poller.js';
import type { Identity } from '../wire/handshake.js';
import type { MessageOf } from '../wire/messages.js';
import type { WireToken } from '../wire/token.js';
import type { WorkerManager, WorkerPlace } from './manager.js';
import { type FromEmitter, WorkerLink } from './worker-link.js';

export interface FleetHandlers {
  onUp(place: WorkerPlace, inventory: MessageOf<'inventory'>, instance: string): void;
  onDown(name: string): void;
  /** Its place is gone, whether or not it was connected: it does not come back. */
  onRemoved(name: string): void;
  onMessage(name: string, message: FromEmitter): void;
}

export interface FleetOptions {
  poller: Poller;
  local: Identity;
  token: WireToken;
  manager: WorkerManager;
  log: Log;
}

/** All workers that the manager provides, each by its link, under its name. */
export class Fleet {
  readonly #links = new Map<string, WorkerLink>();
  readonly #options: FleetOptions;
  readonly #handlers: FleetHandlers;

  constructor(options: FleetOptions, handlers: FleetHandlers) {
    this.#options = options;
    this.#handlers = handlers;
  }

  /** Connects to every place that the manager tells of; where nobody answers, it is to see to it. */
  start(): void {
    const { manager } = this.#options;
    manager.start({
      onAdded: (place) => this.add(place),
      onRemoved: (place) => this.remove(place),
    });
  }

  add(place: WorkerPlace): void {
    const { manager, ...shared } = this.#options;
    const handlers = this.#handlers;
    invariant(!this.#links.has(place.name), `there are two places of the name ${place.name}`);
    const link = new WorkerLink(
      { ...shared, place },
      {
        onUp: (inventory, instance) => handlers.onUp(place, inventory, instance),
        onMessage: (message) => handlers.onMessage(place.name, message),
        onDown: ({ unresponsive, inventory }) => {
          handlers.onDown(place.name);
          if (unresponsive) manager.replace(place, inventory.pid);
        },
        onUnreachable: () => manager.ensure(place),
        onUnresponsive: () => manager.replace(place, undefined),
      },
    );
    this.#links.set(place.name, link);
    link.connect();
  }

  /** Forgets the place, and what its worker had is lost. One that is not there is passed over. */
  remove({ name }: WorkerPlace): void {
    const link = this.#links.get(name);
    if (!link) return;
    this.#links.delete(name);
    link.stop();
    this.#handlers.onRemoved(name);
  }

  get(name: string): WorkerLink | undefined {
    return this.#links.get(name);
  }

  /** Places whose worker is connected, with what it said of itself. */
  *up(): Generator<{ place: WorkerPlace; inventory: MessageOf<'inventory'> }> {
    for (const { place, up } of this.#links.values()) {
      if (up) yield { place, inventory: up };
    }
  }

  /** Types of which there are places, and no worker is connected. */
  missingTypes(): string[] {
    const missing = new Set([...this.#links.values()].map(({ place }) => place.type));
    for (const { place } of this.up()) missing.delete(place.type);
    return [...missing].sort();
  }

  heartbeat(nowMs: number): void {
    for (const link of this.#links.values()) link.heartbeat(nowMs);
  }

  /**
   * Tells every connected worker, whoever started it, to finish what it has and exit, and waits
   * until they have gone; after `waitMs` those that have not are cut off, and so ended.
   */
  async dismiss(waitMs: number): Promise<void> {
    const gone = Promise.all([...this.#links.values()].map((link) => link.dismiss()));
    const timer = setTimeout(() => {
      for (const link of this.#links.values()) link.drop('it did not go when told to');
    }, waitMs);
    await gone;
    clearTimeout(timer);
  }

  stop(): void {
    for (const link of this.#links.values()) link.stop();
  }
}
