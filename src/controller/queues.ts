import type { Scheduler } from '../scheduler/scheduler.js';
import type { QueueReport } from '../wire/reports.js';
import type { Pauses } from './pauses.js';

/** The queues of all configured types, whether they have tasks or not. */
export class Queues {
  readonly #types: readonly string[];
  readonly #scheduler: Scheduler;
  readonly #pauses: Pauses;

  constructor(types: Iterable<string>, scheduler: Scheduler, pauses: Pauses) {
    this.#types = [...types].sort();
    this.#scheduler = scheduler;
    this.#pauses = pauses;
  }

  /** Pauses again what an operator had paused. */
  async read(): Promise<void> {
    for (const type of await this.#pauses.read()) this.#scheduler.pauseType(type);
  }

  report(): QueueReport[] {
    const lanes = new Map(this.#scheduler.lanes().map((lane) => [lane.type, lane]));
    return this.#types.map((type) => {
      const none = { ready: 0, waiting: 0, running: 0, workers: 0, slots: 0 };
      return lanes.get(type) ?? { type, paused: false, ...none };
    });
  }

  /** Fulfilled when it is durable. Undefined: there is no such queue. */
  async pause(type: string): Promise<QueueReport | undefined> {
    if (!this.#types.includes(type)) return undefined;
    await this.#pauses.pause(type);
    this.#scheduler.pauseType(type);
    return this.#one(type);
  }

  async resume(type: string): Promise<QueueReport | undefined> {
    if (!this.#types.includes(type)) return undefined;
    await this.#pauses.resume(type);
    this.#scheduler.resumeType(type);
    return this.#one(type);
  }

  #one(type: string): QueueReport | undefined {
    return this.report().find((queue) => queue.type === type);
  }
}
