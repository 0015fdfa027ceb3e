import type { LaneReport, Scheduler } from '../scheduler/scheduler.js';
import type { QueueReport } from '../wire/reports.js';
import type { Flights } from './flights.js';
import type { Pauses } from './pauses.js';

export interface QueuesOptions {
  types: Iterable<string>;
  scheduler: Scheduler;
  pauses: Pauses;
  flights: Pick<Flights, 'queuedSinceMs'>;
}

/** The queues of all configured types, whether they have tasks or not. */
export class Queues {
  readonly #options: QueuesOptions;
  readonly #types: readonly string[];

  constructor(options: QueuesOptions) {
    this.#options = options;
    this.#types = [...options.types].sort();
  }

  /** Pauses again what an operator had paused. */
  async read(): Promise<void> {
    const { pauses, scheduler } = this.#options;
    for (const type of await pauses.read()) scheduler.pauseType(type);
  }

  report(nowMs: number): QueueReport[] {
    const lanes = new Map(this.#options.scheduler.lanes().map((lane) => [lane.type, lane]));
    return this.#types.map((type) => {
      const lane = lanes.get(type);
      const none = { ready: 0, waiting: 0, running: 0, workers: 0, slots: 0 };
      return lane ? this.#report(lane, nowMs) : { type, paused: false, ...none };
    });
  }

  /** Fulfilled when it is durable. Undefined: there is no such queue. */
  async pause(type: string, nowMs: number): Promise<QueueReport | undefined> {
    if (!this.#types.includes(type)) return undefined;
    await this.#options.pauses.pause(type);
    this.#options.scheduler.pauseType(type);
    return this.#one(type, nowMs);
  }

  async resume(type: string, nowMs: number): Promise<QueueReport | undefined> {
    if (!this.#types.includes(type)) return undefined;
    await this.#options.pauses.resume(type);
    this.#options.scheduler.resumeType(type);
    return this.#one(type, nowMs);
  }

  #one(type: string, nowMs: number): QueueReport | undefined {
    return this.report(nowMs).find((queue) => queue.type === type);
  }

  /** The scheduler knows more of a type than is told. */
  #report(lane: LaneReport, nowMs: number): QueueReport {
    const { type, paused, ready, waiting, running, workers, slots, head } = lane;
    const report = { type, paused, ready, waiting, running, workers, slots };
    const sinceMs = head && this.#options.flights.queuedSinceMs(head.taskId);
    if (!head || sinceMs === undefined) return report;
    const { heldUntilMs } = head;
    // What was delayed has been ready since its time came.
    const readyMs = heldUntilMs <= nowMs ? Math.max(sinceMs, heldUntilMs) : sinceMs;
    return { ...report, oldestMs: Math.max(0, Math.round(nowMs - readyMs)) };
  }
}
