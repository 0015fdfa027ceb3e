import { availableParallelism } from 'node:os';
import type { Deadline, Deadlines } from './deadlines.js';
import { workerLimits } from './limits.js';

const processors = availableParallelism();

export interface CpuCheckOptions {
  /** What all processes of the run have used so far. */
  spentMs: () => number;
  limitMs: number;
  deadlines: Deadlines;
  /** Monotonic. */
  nowMs: () => number;
  /** Called once, unless it is cleared before. */
  onExceeded: () => void;
  /** Told of a look that failed: there is no other after it. */
  onFault: (error: unknown) => void;
}

/**
 * Holds all processes of a run together to the limit on processor time: looks again when they could
 * have used the rest of it, on every processor at once.
 */
export class CpuCheck {
  readonly #options: CpuCheckOptions;
  #next: Deadline | undefined;

  /** Looks for the first time. */
  constructor(options: CpuCheckOptions) {
    this.#options = options;
    this.#look();
  }

  clear(): void {
    this.#next?.clear();
  }

  #look(): void {
    const { spentMs, limitMs, deadlines, nowMs, onExceeded, onFault } = this.#options;
    try {
      const leftMs = limitMs - spentMs();
      if (leftMs <= 0) {
        onExceeded();
        return;
      }
      const waitMs = Math.max(workerLimits.cpuCheckMs, leftMs / processors);
      this.#next = deadlines.add(nowMs() + waitMs, () => this.#look());
    } catch (error) {
      onFault(error);
    }
  }
}
