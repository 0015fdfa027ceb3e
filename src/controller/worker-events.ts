import type { Clock } from '../clock.js';
import type { Log } from '../log.js';
import type { Scheduler } from '../scheduler/scheduler.js';
import type { MessageOf } from '../wire/messages.js';
import type { FleetHandlers } from './fleet.js';
import type { WorkerSeat } from './manager.js';
import type { FromEmitter } from './worker-link.js';

export interface WorkerEventsOptions {
  scheduler: Scheduler;
  /** How long attempts of a worker that is not of this host wait for it to come back. */
  reconnectGraceMs: number;
  clock: Clock;
  log: Log;
  /** There is something to decide. */
  stir(): void;
}

/** Tells the scheduler what comes from workers. */
export class WorkerEvents implements FleetHandlers {
  readonly #options: WorkerEventsOptions;

  constructor(options: WorkerEventsOptions) {
    this.#options = options;
  }

  onUp({ name, local }: WorkerSeat, inventory: MessageOf<'inventory'>, instance: string): void {
    const { scheduler, log } = this.#options;
    const { type, slots, prefetch, running, unacknowledged } = inventory;
    const { level: isolation } = inventory.isolation;
    log.info({ worker: name, type, slots, isolation }, `worker ${name} is connected`);
    const reconnectGraceMs = local ? 0 : this.#options.reconnectGraceMs;
    const offer = { id: name, type, slots, prefetch, instance, reconnectGraceMs };
    scheduler.connect({ ...offer, running, unacknowledged }, this.#nowMs());
    this.#options.stir();
  }

  onDown(name: string): void {
    this.#options.scheduler.disconnect(name, this.#nowMs());
    this.#options.stir();
  }

  onRemoved(name: string): void {
    this.#options.scheduler.remove(name, this.#nowMs());
    this.#options.stir();
  }

  onMessage(name: string, message: FromEmitter): void {
    const { scheduler } = this.#options;
    const nowMs = this.#nowMs();
    switch (message.kind) {
      case 'draining':
        scheduler.drain(name);
        break;
      case 'started':
        scheduler.started(name, message, nowMs);
        break;
      case 'recalled':
        scheduler.recalled(name, message, nowMs);
        break;
      case 'result': {
        const { taskId, attempt, result } = message;
        scheduler.result(name, { taskId, attempt }, result, nowMs);
        break;
      }
    }
    this.#options.stir();
  }

  #nowMs(): number {
    return this.#options.clock.monotonicMs();
  }
}
