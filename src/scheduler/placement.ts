import type { WorkerState } from './attempt.js';
import type { Core } from './core.js';
import type { Life } from './life.js';
import { schedulerLimits } from './limits.js';

/** Which worker gets what, and what is asked back from whom. */
export class Placement {
  readonly core: Core;
  readonly life: Life;

  constructor(core: Core, life: Life) {
    this.core = core;
    this.life = life;
  }

  /** Does what the changes since the last call allow. */
  place(nowMs: number): void {
    const { core } = this;
    if (core.paused || nowMs < core.settledAtMs) return;
    for (const type of core.stirred) {
      this.fill(type, nowMs);
      this.level(type);
    }
    core.stirred.clear();
  }

  /** Hands ready tasks out while a worker takes some. */
  fill(type: string, nowMs: number): void {
    const { queue, paused } = this.core.lane(type);
    if (paused) return;
    for (let row = queue.peek(); row >= 0; row = queue.peek()) {
      const worker = this.core.workers.next(type);
      if (!worker) return;
      this.life.begin(row, worker, nowMs);
    }
  }

  /** Asks for attempts back that wait on one worker while another has nothing to do. */
  level(type: string): void {
    const lane = this.core.lane(type);
    const crew = this.core.workers.crew(type);
    if (lane.paused || lane.queue.size > 0) return;
    let surplus = crew.freeSlots - lane.recalling;
    for (const worker of crew.stacked) {
      if (surplus <= 0) return;
      surplus -= this.recallFrom(worker, surplus);
    }
  }

  /** Asks a worker for the newest attempts back that have no slot, at most so many. How many. */
  recallFrom(worker: WorkerState, most: number = schedulerLimits.prefetchMax): number {
    const asked = [...worker.queued].filter(({ state }) => state === 'dispatched').slice(-most);
    for (const attempt of asked) this.life.recall(attempt);
    return asked.length;
  }

  /** The worker gets nothing new, and hands back what it has not begun. */
  drain(workerId: string): void {
    const worker = this.core.workers.get(workerId);
    if (!worker || worker.awayUntilMs !== undefined) return;
    this.core.workers.drain(worker);
    this.recallFrom(worker);
  }

  /** Nothing at all is dispatched any more; what runs goes on. */
  halt(): void {
    this.core.paused = true;
    for (const type of this.core.lanes.keys()) this.recallStacked(type);
  }

  /** Nothing of the type is dispatched any more; what runs goes on. */
  pause(type: string): void {
    this.core.lane(type).paused = true;
    this.recallStacked(type);
  }

  recallStacked(type: string): void {
    for (const worker of this.core.workers.crew(type).stacked) this.recallFrom(worker);
  }

  resume(type: string): void {
    this.core.lane(type).paused = false;
    this.core.stirred.add(type);
  }
}
