import { invariant } from '../invariant.js';
import type { Ending } from '../scheduler/endings.js';
import type { AttemptRecord, Timeline } from '../task.js';

/** What the controller remembers of a task that is not finished, beside the scheduler. */
interface Flight {
  /** Since when it waits to be dispatched. Monotonic milliseconds, like all here. */
  queuedSinceMs: number;
  dispatchedMs: number;
  queuedMs: number;
  attempt: AttemptRecord | undefined;
  /** Bytes that it holds until it is finished. */
  bytes: number;
}

/** The unfinished tasks, timed: from submission over each attempt to the end. */
export class Flights {
  readonly #flights = new Map<string, Flight>();
  #bytes = 0;

  get size(): number {
    return this.#flights.size;
  }

  /** Bytes of code and input that the unfinished tasks hold. */
  get bytes(): number {
    return this.#bytes;
  }

  ids(): IterableIterator<string> {
    return this.#flights.keys();
  }

  has(taskId: string): boolean {
    return this.#flights.has(taskId);
  }

  add(taskId: string, bytes: number, nowMs: number): void {
    const flight = {
      queuedSinceMs: nowMs,
      dispatchedMs: 0,
      queuedMs: 0,
      attempt: undefined,
      bytes,
    };
    this.#flights.set(taskId, flight);
    this.#bytes += bytes;
  }

  remove(taskId: string): void {
    this.#bytes -= this.#get(taskId).bytes;
    this.#flights.delete(taskId);
  }

  /** An attempt begins. Returns its record. */
  begin(
    taskId: string,
    attempt: number,
    worker: string,
    nowMs: number,
    wallMs: number,
  ): AttemptRecord {
    const flight = this.#get(taskId);
    flight.dispatchedMs = nowMs;
    flight.queuedMs = nowMs - flight.queuedSinceMs;
    flight.attempt = { attempt, worker, startedAt: wallMs };
    return flight.attempt;
  }

  /** An attempt ended. Returns its record as it then is; undefined when none had begun. */
  end(taskId: string, ending: Ending, nowMs: number, wallMs: number): AttemptRecord | undefined {
    const flight = this.#get(taskId);
    flight.queuedSinceMs = nowMs;
    const { attempt } = flight;
    flight.attempt = undefined;
    if (!attempt) return undefined;
    const { outcome, code, reason } = ending;
    return {
      ...attempt,
      finishedAt: wallMs,
      outcome,
      ...(code !== undefined && { code }),
      ...(reason !== undefined && { reason }),
    };
  }

  /** Where the time of the attempt that just ended went; undefined without a worker's figures. */
  timeline(taskId: string, ending: Ending, nowMs: number): Timeline | undefined {
    const phases = ending.result?.phases;
    if (!phases) return undefined;
    const { queuedMs, dispatchedMs } = this.#get(taskId);
    const { startMs, runMs, drainMs } = phases;
    // What the worker did not account for: the way there and back.
    const dispatchMs = Math.max(0, nowMs - dispatchedMs - startMs - runMs - drainMs);
    return { queuedMs, dispatchMs, startMs, runMs, drainMs, checkMs: 0 };
  }

  #get(taskId: string): Flight {
    const flight = this.#flights.get(taskId);
    invariant(flight, `task ${taskId} is not in flight`);
    return flight;
  }
}
