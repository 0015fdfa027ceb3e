import type { CancelCause } from './endings.js';
import type { AttemptState } from './states.js';

/** That somebody asked for a task's end. Monotonic milliseconds. */
export interface CancelTrace {
  /** The first one asked; later ones change nothing. */
  cause: CancelCause;
  requestedAtMs: number;
  /** When its worker was told; absent when none had it, or none could be told. */
  signalledAtMs?: number;
  /** When nothing of it was left, as its worker said; absent when it was lost. */
  goneAtMs?: number;
}

/** A worker as the scheduler sees it. */
export interface WorkerState {
  readonly id: string;
  readonly type: string;
  readonly slots: number;
  readonly prefetch: number;
  readonly instance: string | undefined;
  readonly reconnectGraceMs: number;
  /** Attempts that it has and that count, by `taskId/attempt`, in the order in which it got them. */
  readonly attempts: Map<string, Attempt>;
  /** Those of them for which it has no slot yet. */
  readonly queued: Set<Attempt>;
  /** Attempts that it has, holding a slot, and that nobody wants any more. */
  readonly stale: Set<string>;
  /** Gets nothing new. */
  draining: boolean;
  /** Not connected: until when its attempts wait for it. Monotonic milliseconds. */
  awayUntilMs: number | undefined;
  /** Cut off because it did not do what it was told: what it has is not waited for. */
  dropped: boolean;
}

/** An attempt that a worker has. Monotonic milliseconds. */
export interface Attempt {
  readonly row: number;
  readonly taskId: string;
  readonly number: number;
  /** `taskId/number`. */
  readonly id: string;
  worker: WorkerState;
  state: AttemptState;
  readonly dispatchedAtMs: number;
  /** When it got a slot: by its worker's word, else when one should have been free for it. */
  startedAtMs: number | undefined;
  /** When it should have ended, once it has a slot. */
  overdueAtMs: number;
  /** What its group was charged when it was dispatched. */
  chargedMs: number;
  /** Told to stop because it ran past its time, not because somebody asked. */
  overran: boolean;
  cancel: CancelTrace | undefined;
}

export function attemptId(taskId: string, attempt: number): string {
  return `${taskId}/${attempt}`;
}
