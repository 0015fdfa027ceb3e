import type { Clock } from '../clock.js';
import { limits } from '../limits.js';
import type { Log } from '../log.js';
import type { Scheduler } from '../scheduler/scheduler.js';
import type { Result } from '../task.js';
import type { MessageOf } from '../wire/messages.js';
import { packedBytes } from '../wire/packed-bytes.js';
import type { FleetHandlers } from './fleet.js';
import type { Followers } from './followers.js';
import type { WorkerSeat } from './manager.js';
import { ownResult } from './own-result.js';
import type { FromEmitter } from './worker-link.js';
import type { WorkerVitals } from './worker-vitals.js';

export interface WorkerEventsOptions {
  scheduler: Scheduler;
  followers: Followers;
  /** How long attempts of a worker that is not of this host wait for it to come back. */
  reconnectGraceMs: number;
  vitals: WorkerVitals;
  clock: Clock;
  log: Log;
  /** There is something to decide. */
  stir(): void;
}

/** Tells the scheduler what comes from workers, and those who follow what is for them. */
export class WorkerEvents implements FleetHandlers {
  readonly #options: WorkerEventsOptions;
  /** What came while it was held. */
  #held: (() => void)[] | undefined;

  constructor(options: WorkerEventsOptions) {
    this.#options = options;
  }

  /** Keeps what comes from now on, until the function that it returns is called. */
  hold(): () => void {
    const held: (() => void)[] = [];
    this.#held = held;
    return () => {
      this.#held = undefined;
      for (const tell of held) tell();
    };
  }

  onUp(seat: WorkerSeat, inventory: MessageOf<'inventory'>, instance: string): void {
    this.#tell(() => this.#connect(seat, inventory, instance));
  }

  onDown(name: string): void {
    this.#tell(() => this.#options.scheduler.disconnect(name, this.#nowMs()));
  }

  onRemoved(name: string): void {
    this.#tell(() => this.#options.scheduler.remove(name, this.#nowMs()));
  }

  onMessage({ name, type }: WorkerSeat, message: FromEmitter): void {
    // These two decide nothing.
    if (message.kind === 'output') this.#options.followers.output(name, message);
    else if (message.kind === 'vitals') this.#options.vitals.take(name, type, message);
    else this.#tell(() => this.#take(name, message));
  }

  #tell(tell: () => void): void {
    if (this.#held) {
      this.#held.push(tell);
      return;
    }
    tell();
    this.#options.stir();
  }

  #connect({ name, local }: WorkerSeat, inventory: MessageOf<'inventory'>, instance: string) {
    const { scheduler, log } = this.#options;
    const { type, slots, prefetch, running, unacknowledged } = inventory;
    const { level: isolation } = inventory.isolation;
    log.info({ worker: name, type, slots, isolation }, `worker ${name} is connected`);
    const reconnectGraceMs = local ? 0 : this.#options.reconnectGraceMs;
    const offer = { id: name, type, slots, prefetch, instance, reconnectGraceMs };
    scheduler.connect({ ...offer, running, unacknowledged }, this.#nowMs());
    this.#options.followers.connected(name);
  }

  #take(name: string, message: Exclude<FromEmitter, { kind: 'output' | 'vitals' }>): void {
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
        scheduler.result(name, { taskId, attempt }, bounded(result), nowMs);
        break;
      }
    }
  }

  #nowMs(): number {
    return this.#options.clock.monotonicMs();
  }
}

/** What fits into no answer could be told to nobody. Two outputs alone are bounded, and do. */
function bounded(result: Result): Result {
  const { exception, files, filesNotCollected } = result;
  if (!exception && !files && !filesNotCollected) return result;
  const bytes = packedBytes(result);
  const most = limits.resultBytesMax;
  if (bytes <= most) return result;
  const text = `The worker told a result of ${bytes} bytes; at most ${most} are possible.`;
  return ownResult('INTERNAL', text);
}
