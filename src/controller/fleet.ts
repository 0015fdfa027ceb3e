import type { Clock } from '../clock.js';
import { invariant } from '../invariant.js';
import type { Log } from '../log.js';
import type { Poller } from '../poll/poller.js';
import type { Identity } from '../wire/handshake.js';
import type { MessageOf, Unwelcome } from '../wire/messages.js';
import type { WireToken } from '../wire/token.js';
import type { Traffic } from '../wire/traffic.js';
import type { Transport } from '../wire/transport.js';
import { controllerLimits } from './limits.js';
import type { WorkerManager, WorkerPlace, WorkerSeat } from './manager.js';
import {
  type FromEmitter,
  type Joined,
  WorkerLink,
  type WorkerLinkHandlers,
} from './worker-link.js';

export interface FleetHandlers {
  onUp(seat: WorkerSeat, inventory: MessageOf<'inventory'>, instance: string): void;
  onDown(name: string): void;
  /** Its place is gone, whether or not it was connected: it does not come back. */
  onRemoved(name: string): void;
  onMessage(seat: WorkerSeat, message: FromEmitter): void;
}

export interface FleetOptions {
  poller: Poller;
  local: Identity;
  token: WireToken;
  transport: Transport;
  manager: WorkerManager;
  /** With all of them together. */
  traffic: Traffic;
  clock: Clock;
  log: Log;
}

/** A worker that is connected, and what it said of itself. */
export interface UpWorker {
  seat: WorkerSeat;
  inventory: MessageOf<'inventory'>;
  link: Pick<WorkerLink, 'connectedAt' | 'heardAtMs'>;
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
      onListening: ({ name }) => this.#links.get(name)?.connect(),
      onRemoved: (place) => this.remove(place),
    });
  }

  add(place: WorkerPlace): void {
    const { manager } = this.#options;
    const there = this.#links.get(place.name);
    invariant(!there?.address, `there are two places of the name ${place.name}`);
    // One that has joined under this name has to give way.
    if (there) this.remove(there.seat);
    const link = this.#link(place, place.address, {
      onDown: ({ unresponsive, inventory }) => {
        this.#handlers.onDown(place.name);
        if (unresponsive) manager.replace(place, inventory.pid);
      },
      onUnreachable: () => manager.ensure(place),
      onUnresponsive: () => manager.replace(place, undefined),
    });
    link.connect();
  }

  /** Why a worker may not join under this name; undefined if it may. */
  joinRefusal(name: string, instance: string): Unwelcome | undefined {
    const there = this.#links.get(name);
    if (there?.address) {
      const reason = `the controller has a worker ${name} of its own: give this one another --name`;
      return { code: 'NAME_TAKEN', reason };
    }
    if (there?.up && there.instance !== instance) {
      const reason = `another worker ${name} has joined: give each a --name of its own`;
      return { code: 'NAME_TAKEN', reason };
    }
    const most = controllerLimits.workersMax;
    if (there || this.#links.size < most) return undefined;
    return { code: 'TOO_MANY_WORKERS', reason: `the controller has ${most} workers already` };
  }

  /** Takes in a worker that may join. The link goes when its connections do. */
  join(seat: WorkerSeat, joined: Joined): WorkerLink {
    this.#links.get(seat.name)?.supersede();
    const link = this.#link(seat, undefined, {
      onDown: () => {
        this.#links.delete(seat.name);
        this.#handlers.onDown(seat.name);
      },
      onUnreachable: () => invariant(false, 'a worker that joined is not connected to'),
      onUnresponsive: () => invariant(false, 'a worker that joined has done its handshake'),
    });
    link.take(joined);
    return link;
  }

  /** Forgets the place, and what its worker had is lost. One that is not there is passed over. */
  remove({ name }: WorkerSeat): void {
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
  *up(): Generator<UpWorker> {
    for (const link of this.#links.values()) {
      const { seat, up: inventory } = link;
      if (inventory) yield { seat, inventory, link };
    }
  }

  /** Places whose worker is not connected, and since when; monotonic milliseconds. */
  *absent(): Generator<{ seat: WorkerSeat; sinceMs: number }> {
    for (const { seat, absentSinceMs: sinceMs } of this.#links.values()) {
      if (sinceMs !== undefined) yield { seat, sinceMs };
    }
  }

  /** Types of which there should be a worker, and none is connected. */
  missingTypes(): string[] {
    const { manager } = this.#options;
    const types = [...this.#links.values()].map(({ seat }) => seat.type);
    const missing = new Set(types.filter((type) => !manager.mayLack?.(type)));
    for (const { seat } of this.up()) missing.delete(seat.type);
    return [...missing].sort();
  }

  heartbeat(nowMs: number): void {
    for (const link of this.#links.values()) link.heartbeat(nowMs);
  }

  /**
   * Tells every connected worker of this host, whoever started it, to finish what it has and exit,
   * and waits until they have gone; after `waitMs` those that have not are cut off, and so ended.
   * Those of other hosts go on, for the next controller.
   */
  async dismiss(waitMs: number): Promise<void> {
    const links = [...this.#links.values()];
    const here = links.filter(({ seat }) => seat.local);
    for (const link of links) if (!link.seat.local) link.stop();
    const gone = Promise.all(here.map((link) => link.dismiss()));
    const timer = setTimeout(() => {
      for (const link of here) link.drop('it did not go when told to');
    }, waitMs);
    await gone;
    clearTimeout(timer);
  }

  stop(): void {
    for (const link of this.#links.values()) link.stop();
  }

  #link(
    seat: WorkerSeat,
    address: WorkerPlace['address'] | undefined,
    events: Omit<WorkerLinkHandlers, 'onUp' | 'onMessage'>,
  ): WorkerLink {
    const { manager: _, ...shared } = this.#options;
    const options = { ...shared, seat, ...(address && { address }) };
    const link = new WorkerLink(options, {
      ...events,
      onUp: (inventory, instance) => this.#handlers.onUp(seat, inventory, instance),
      onMessage: (message) => this.#handlers.onMessage(seat, message),
    });
    this.#links.set(seat.name, link);
    return link;
  }
}
