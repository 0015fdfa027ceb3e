import type { Log } from '../../log.js';
import type { Poller } from '../../poll/poller.js';
import { workerLimits } from '../limits.js';
import type { SpawnPlan } from '../spawn-plan.js';
import { ForkServer } from './fork-server.js';

export interface ForkServersOptions {
  plan: SpawnPlan;
  poller: Poller;
  log: Log;
}

/**
 * Keeps a fork server going: one that dies is replaced, after a wait that grows while its
 * successors die too, and one that has forked often enough gives way to a fresh one.
 */
export class ForkServers {
  readonly #options: ForkServersOptions;
  readonly #all = new Set<ForkServer>();
  #current: ForkServer | undefined;
  /** Becomes the current one when it is ready. */
  #next: ForkServer | undefined;
  #waitMs: number = workerLimits.forkServerWaitMsMin;
  #restart: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: ForkServersOptions) {
    this.#options = options;
    this.#start();
  }

  /** The one to fork from; undefined while there is none. */
  get ready(): ForkServer | undefined {
    if (this.#next?.ready) {
      this.#current?.retire();
      this.#current = this.#next;
      this.#next = undefined;
      this.#waitMs = workerLimits.forkServerWaitMsMin;
    }
    if (!this.#current?.ready) return undefined;
    if (this.#current.served >= workerLimits.forkServerRunsMax && !this.#next) this.#start();
    return this.#current;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#restart);
    for (const server of this.#all) server.kill();
  }

  #start(): void {
    const { plan, poller, log } = this.#options;
    try {
      const server = new ForkServer(plan, poller, log, () => this.#gone(server));
      this.#all.add(server);
      this.#next = server;
    } catch (error) {
      log.warn({ err: error }, 'no fork server: scripts start without one');
      this.#startLater();
    }
  }

  #gone(server: ForkServer): void {
    this.#all.delete(server);
    const wasNeeded = server === this.#current || server === this.#next;
    if (server === this.#current) this.#current = undefined;
    if (server === this.#next) this.#next = undefined;
    if (wasNeeded && !this.#next) this.#startLater();
  }

  #startLater(): void {
    if (this.#closed) return;
    this.#restart = setTimeout(() => this.#start(), this.#waitMs);
    this.#waitMs = Math.min(this.#waitMs * 2, workerLimits.forkServerWaitMsMax);
  }
}
