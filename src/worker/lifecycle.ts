import type { Log } from '../log.js';
import { workerLimits } from './limits.js';

/** Why a worker is closed: drained, left without a controller, or told to. */
export type WorkerEnd = 'drained' | 'drainTimeout' | 'orphaned' | 'closed';

/** What the lifecycle asks and moves. */
export interface LifecycleParts {
  /** Nothing runs and nothing waits for a slot. */
  isIdle(): boolean;
  /** The controller has every result. */
  isAcknowledged(): boolean;
  /** Ends all that runs or waits; their results follow. */
  endRuns(): void;
  /** Lets go of everything: the last step. */
  release(): Promise<void>;
}

export interface LifecycleOptions {
  orphanMs: number;
  drainMs: number;
  log: Log;
}

/**
 * From start to end of one worker:
 *
 *     serving ─ drain ─▶ draining ─ idle, all acknowledged ─▶ releasing ─▶ closed
 *        └─ orphaned, close ─▶ ending ◀─ drainMs ┘                ▲
 *                                └─ idle, or closeMs ─────────────┘
 *
 * It never goes back, and the first reason to end is the one that `closed` tells.
 */
export class Lifecycle {
  readonly closed: Promise<WorkerEnd>;
  readonly #parts: LifecycleParts;
  readonly #options: LifecycleOptions;
  #state: 'serving' | 'draining' | 'ending' | 'releasing' = 'serving';
  #end: WorkerEnd = 'drained';
  /** Of the present state: orphanMs, drainMs or closeMs. */
  #patience: NodeJS.Timeout | undefined;
  #announce: (end: WorkerEnd) => void = () => undefined;

  constructor(parts: LifecycleParts, options: LifecycleOptions) {
    this.#parts = parts;
    this.#options = options;
    this.closed = new Promise((resolve) => {
      this.#announce = resolve;
    });
  }

  /** Attempts are taken. */
  get serving(): boolean {
    return this.#state === 'serving';
  }

  /** Called at start, and whenever a controller comes or goes. */
  controllerThere(isThere: boolean): void {
    // Who drains or ends has a limit of its own already.
    if (this.#state !== 'serving') return;
    clearTimeout(this.#patience);
    if (isThere) return;
    const { orphanMs, log } = this.#options;
    this.#patience = setTimeout(() => {
      log.warn({ orphanMs }, 'no controller came; the worker exits');
      this.end('orphaned');
    }, orphanMs);
  }

  /** Takes no more, and ends once all that it has is done and acknowledged. */
  drain(): void {
    if (this.#state !== 'serving') return;
    const { drainMs, log } = this.#options;
    log.info({ drainMs }, 'draining');
    this.#enter('draining', drainMs, () => {
      log.warn({ drainMs }, 'draining takes too long; what still runs is ended');
      this.end('drainTimeout');
    });
    this.progressed();
  }

  /** Ends all that runs, gives it a little time to be gone, and lets go. */
  end(reason: WorkerEnd): void {
    if (this.#state === 'ending' || this.#state === 'releasing') return;
    this.#end = reason;
    this.#enter('ending', workerLimits.closeMs, () => this.#release());
    this.#parts.endRuns();
    this.progressed();
  }

  /** Called whenever a run has ended or results were acknowledged. */
  progressed(): void {
    const isIdle = this.#parts.isIdle();
    const isDone = isIdle && this.#parts.isAcknowledged();
    if (this.#state === 'draining' && isDone) this.#release();
    // Only after a drain is the controller sure to wait for the results.
    if (this.#state === 'ending' && (this.#end === 'drainTimeout' ? isDone : isIdle)) {
      this.#release();
    }
  }

  #release(): void {
    this.#enter('releasing');
    const { log } = this.#options;
    this.#parts
      .release()
      .catch((error: unknown) => log.error({ err: error }, 'the worker did not let go of all'))
      .then(() => this.#announce(this.#end));
  }

  #enter(
    state: 'draining' | 'ending' | 'releasing',
    patienceMs?: number,
    onLate?: () => void,
  ): void {
    this.#state = state;
    clearTimeout(this.#patience);
    if (onLate) this.#patience = setTimeout(onLate, patienceMs);
  }
}
