import type { Log } from '../log.js';
import type { Poller } from '../poll/poller.js';
import type { Result } from '../task.js';
import type { Deadlines } from './deadlines.js';
import type { ProcessRuntime } from './runtimes/runtime.js';
import type { Starter } from './warm/starter.js';

/** What all runs of one worker share. */
export interface ExecutionContext {
  runtime: ProcessRuntime;
  starter: Starter;
  poller: Poller;
  deadlines: Deadlines;
  /** Monotonic. */
  nowMs: () => number;
  log: Log;
}

export interface ExecutionEvents {
  /** The process has its script. At most once. */
  onStarted(): void;
  /** There is more in `outputs`. */
  onOutput?(): void;
  /**
   * Asked when nothing of the script is left but the first process of its sandbox: true lets `onEnd`
   * come now, else it waits for that process. At most once.
   */
  mayLeave?(): boolean;
  /** After a `mayLeave` that was true: that process is gone, too. */
  onLeft?(): void;
  /** Exactly once; nothing of the run is left but its directory's removal, or what is leaving. */
  onEnd(result: Result): void;
}
