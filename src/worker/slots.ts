import type { AttemptKey, Result } from '../task.js';
import { attemptKey, type ExecuteMessage, type Waiting, WaitingQueue } from './queue.js';
import type { CancelCause, Cause } from './termination.js';
import { judgeQueued, type Verdict } from './verdict.js';

/** A run as the slots see it. Its result comes by `onEnd`, exactly once. */
export interface Run {
  begin(): void;
  end(cause: Cause): void;
  /** What is kept of the beginning of both outputs so far. Views: valid until more comes. */
  outputs(): Pick<Result, 'stdout' | 'stderr'>;
}

export interface RunEvents {
  onStarted(): void;
  /** There is more in `outputs`. */
  onOutput(): void;
  /**
   * Asks whether `onEnd` may come before a process of it is gone, which is on its way out; false while
   * there are too many of those. `onLeft` follows a true.
   */
  mayLeave(): boolean;
  /** One of those is gone. */
  onLeft(): void;
  onEnd(result: Result): void;
}

export interface SlotsOptions {
  /** Runs at the same time. */
  slots: number;
  /** Attempts that may wait beside them. */
  queueMax: number;
  /** Monotonic. */
  nowMs: () => number;
  createRun(waiting: Waiting, events: RunEvents): Run;
  onStarted(attempt: AttemptKey): void;
  /** @param key of the attempt that has put something out */
  onOutput(key: string): void;
  /** Exactly once for each attempt that was taken. */
  onResult(attempt: AttemptKey, result: Result): void;
  /** Nothing is left of a run whose result was told before. */
  onLeft(): void;
}

/**
 * What this worker works at:
 *
 *     take ─▶ queue (slots × queuedPerSlot) ─▶ running (slots) ─▶ onResult
 *                └─ cancel ─▶ onResult            └─ cancel: killed ─▶ onResult
 *
 * Of runs whose results are told, a process may still be on its way out: of as many as there are slots.
 * A further one holds its slot until nothing is left of it.
 */
export class Slots {
  readonly #options: SlotsOptions;
  readonly #queue: WaitingQueue;
  readonly #running = new Map<string, { attempt: AttemptKey; run: Run }>();
  #filling = false;
  #leaving = 0;

  constructor(options: SlotsOptions) {
    this.#options = options;
    this.#queue = new WaitingQueue(options.queueMax);
  }

  get running(): number {
    return this.#running.size;
  }

  get queued(): number {
    return this.#queue.size;
  }

  get idle(): boolean {
    return this.#running.size === 0 && this.#queue.size === 0 && this.#leaving === 0;
  }

  has(key: string): boolean {
    return this.#running.has(key) || this.#queue.has(key);
  }

  /** Of an attempt that runs; as `Run.outputs`. */
  outputsOf(key: string): ReturnType<Run['outputs']> | undefined {
    return this.#running.get(key)?.run.outputs();
  }

  /** All that it has, waiting ones included. */
  attempts(): AttemptKey[] {
    const running = [...this.#running.values()].map(({ attempt }) => attempt);
    return [...running, ...[...this.#queue].map(({ task }) => keyOf(task))];
  }

  /** False when all slots and the queue are taken. */
  take(task: ExecuteMessage): boolean {
    if (!this.#queue.push({ task, receivedAtMs: this.#options.nowMs() })) {
      // The queue is full only while every slot is busy.
      return false;
    }
    this.#fill();
    return true;
  }

  /** False when it has no such attempt. */
  cancel(key: string, by: CancelCause): boolean {
    const waiting = this.#queue.take(key);
    if (waiting) {
      this.#answer(waiting, (waitedMs) => judgeQueued(by, waitedMs));
      return true;
    }
    const entry = this.#running.get(key);
    entry?.run.end({ kind: 'cancelled', by });
    return entry !== undefined;
  }

  /** Takes back an attempt that waits; false when it does not, so that it has begun or is over. */
  recall(key: string): boolean {
    return this.#queue.take(key) !== undefined;
  }

  /** Ends all that runs and answers all that waits. */
  shutDown(verdict: Verdict): void {
    for (let waiting = this.#queue.shift(); waiting; waiting = this.#queue.shift()) {
      this.#answer(waiting, () => verdict);
    }
    for (const { run } of [...this.#running.values()]) run.end({ kind: 'shutdown' });
  }

  #fill(): void {
    // A run that ends within begin() comes back here; the loop that is under way goes on with it.
    if (this.#filling) return;
    this.#filling = true;
    try {
      while (this.#running.size < this.#options.slots) {
        const waiting = this.#queue.shift();
        if (!waiting) break;
        this.#start(waiting);
      }
    } finally {
      this.#filling = false;
    }
  }

  #start(waiting: Waiting): void {
    const attempt = keyOf(waiting.task);
    const key = attemptKey(attempt);
    const run = this.#options.createRun(waiting, {
      onStarted: () => this.#options.onStarted(attempt),
      onOutput: () => this.#options.onOutput(key),
      mayLeave: () => {
        const may = this.#leaving < this.#options.slots;
        if (may) this.#leaving += 1;
        return may;
      },
      onLeft: () => {
        this.#leaving -= 1;
        this.#options.onLeft();
      },
      onEnd: (result) => {
        this.#running.delete(key);
        this.#options.onResult(attempt, result);
        this.#fill();
      },
    });
    this.#running.set(key, { attempt, run });
    run.begin();
  }

  #answer({ task, receivedAtMs }: Waiting, judge: (waitedMs: number) => Verdict): void {
    const waitedMs = this.#options.nowMs() - receivedAtMs;
    this.#options.onResult(keyOf(task), unrun(judge(waitedMs), waitedMs));
  }
}

/** One for all: to make an empty Buffer takes longer than all else in such a result. */
const nothing = Buffer.alloc(0);

/** Result of an attempt that never ran. */
export function unrun(verdict: Verdict, startMs = 0): Result {
  return {
    ...verdict,
    stdout: nothing,
    stderr: nothing,
    truncated: { stdout: false, stderr: false },
    phases: { startMs, runMs: 0, drainMs: 0 },
  };
}

function keyOf({ taskId, attempt }: ExecuteMessage): AttemptKey {
  return { taskId, attempt };
}
