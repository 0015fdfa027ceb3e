import type { FairQueue } from './fair-queue.js';
import { RetryRate } from './retry-rate.js';

/** All that concerns the tasks of one type. */
export class Lane {
  readonly type: string;
  readonly queue: FairQueue;
  readonly retryRate = new RetryRate();
  /** Nothing of it is dispatched. */
  paused = false;
  running = 0;
  /** Pending tasks that are not ready: they wait for their time. */
  waiting = 0;
  /** Attempts that were asked back and have not answered yet. */
  recalling = 0;

  constructor(type: string, queue: FairQueue) {
    this.type = type;
    this.queue = queue;
  }
}
