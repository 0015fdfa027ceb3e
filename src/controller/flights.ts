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
  group: string | undefined;
}

/** The unfinished tasks, timed: from submission over each attempt to the end. */
export class Flights {
  readonly #flights = new Map<string, Flight>();

  get size(): number {
    return this.#flights.size;
  }

  ids(): IterableIterator<string> {
    return this.#flights.keys();
  }

  has(taskId: string): boolean {
    return this.#flights.has(taskId);
  }

  add(taskId: string, { bytes, group }: Pick<Flight, 'bytes' | 'group'>, nowMs: number): void {
    const times = { queuedSinceMs: nowMs, dispatchedMs: 0, queuedMs: 0 };
    this.#flights.set(taskId, { ...times, attempt: undefined, bytes, group });
  }

  /** Returns what it held. */
  remove(taskId: string): Pick<Flight, 'bytes' | 'group'> {
    const flight = this.#get(taskId);
    this.#flights.delete(taskId);
    return flight;
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

  /** An attempt that began under an earlier controller goes on. */
  resume(taskId: string, record: AttemptRecord, nowMs: number): void {
    const flight = this.#get(taskId);
    flight.dispatchedMs = nowMs;
    flight.attempt = record;
  }

  /** An attempt was handed back before it had begun. Returns its record as it then is. */
  giveBack(taskId: string, nowMs: number, wallMs: number): AttemptRecord | undefined {
    const flight = this.#get(taskId);
    flight.queuedSinceMs = nowMs;
    const { attempt } = flight;
    flight.attempt = undefined;
    return attempt && { ...attempt, finishedAt: wallMs };
  }

  /** An attempt ended. Returns its record as it then is; undefined when none had begun. */
  end(taskId: string, ending: Ending, nowMs: number, wallMs: number): AttemptRecord | undefined {
    const attempt = this.giveBack(taskId, nowMs, wallMs);
    if (!attempt) return undefined;
    const { outcome, code, reason } = ending;
    return {
      ...attempt,
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
    const { startMs, runMs, drainMs, checkMs = 0 } = phases;
    // What the worker did not account for: the way there and back.
    const dispatchMs = Math.max(0, nowMs - dispatchedMs - startMs - runMs - drainMs - checkMs);
    return { queuedMs, dispatchMs, startMs, runMs, drainMs, checkMs };
  }

  #get(taskId: string): Flight {
    const flight = this.#flights.get(taskId);
    invariant(flight, `task ${taskId} is not in flight`);
    return flight;
  }
}
