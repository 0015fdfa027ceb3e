import { invariant } from '../invariant.js';
import { Column, float64, int32 } from '../scheduler/column.js';
import type { Ending } from '../scheduler/endings.js';
import { TaskIds } from '../scheduler/task-ids.js';
import type { AttemptRecord, Timeline } from '../task.js';
import { GroupNames } from './group-names.js';

/** What a task holds until it is finished. */
export interface Held {
  bytes: number;
  group: string | undefined;
}

/** An attempt that has begun. Monotonic milliseconds. */
export interface Flight {
  /** Of its task. */
  type: string;
  dispatchedMs: number;
  queuedMs: number;
  record: AttemptRecord;
}

const rowsMin = 64;
const noRow = -1;

/**
 * What the controller remembers of tasks that are not finished, beside the scheduler: from submission
 * over each attempt to the end. Of one that waits, a row of numbers: there may be a million.
 */
export class Flights {
  readonly #ids = new TaskIds();
  /** Since when it waits to be dispatched. Monotonic milliseconds. */
  readonly #queuedSinceMs = new Column(float64);
  /** Plus one; 0: the row is free. */
  readonly #bytes = new Column(int32);
  readonly #groups = new GroupNames();
  readonly #free: number[] = [];
  #rows = 0;
  #capacity = 0;
  readonly #flying = new Map<string, Flight>();

  get size(): number {
    return this.#rows - this.#free.length;
  }

  *ids(): IterableIterator<string> {
    for (let row = 0; row < this.#rows; row++) {
      if (this.#bytes.get(row) > 0) yield this.#ids.text(row);
    }
  }

  has(taskId: string): boolean {
    return this.#ids.find(taskId) !== noRow;
  }

  /** Since when it has waited to be dispatched; undefined: it is not here. Monotonic milliseconds. */
  queuedSinceMs(taskId: string): number | undefined {
    const row = this.#ids.find(taskId);
    return row === noRow ? undefined : this.#queuedSinceMs.get(row);
  }

  add(taskId: string, { bytes, group }: Held, nowMs: number): void {
    const row = this.#free.pop() ?? this.#rows++;
    if (row === this.#capacity) this.reserve(Math.max(rowsMin, 2 * row));
    invariant(this.#ids.add(row, taskId), `task ${taskId} is in flight already`);
    this.#queuedSinceMs.set(row, nowMs);
    this.#bytes.set(row, bytes + 1);
    this.#groups.set(row, group);
  }

  /** Returns what it held. */
  remove(taskId: string): Held {
    const row = this.#find(taskId);
    const held = { bytes: this.#bytes.get(row) - 1, group: this.#groups.take(row) };
    this.#bytes.set(row, 0);
    this.#ids.remove(row);
    this.#free.push(row);
    this.#flying.delete(taskId);
    return held;
  }

  /** An attempt begins. */
  begin(
    taskId: string,
    attempt: number,
    { name: worker, type }: { name: string; type: string },
    nowMs: number,
    wallMs: number,
  ): Readonly<Flight> {
    const queuedMs = nowMs - this.#queuedSinceMs.get(this.#find(taskId));
    const record = { attempt, worker, startedAt: wallMs };
    const flight = { type, dispatchedMs: nowMs, queuedMs, record };
    this.#flying.set(taskId, flight);
    return flight;
  }

  /** An attempt that began under an earlier controller goes on. */
  resume(taskId: string, type: string, record: AttemptRecord, nowMs: number): void {
    this.#flying.set(taskId, { type, dispatchedMs: nowMs, queuedMs: 0, record });
  }

  /** Of the task whose attempt has begun; undefined when none has. */
  typeOf(taskId: string): string | undefined {
    return this.#flying.get(taskId)?.type;
  }

  /** The attempt that a worker has of it; undefined while none has. */
  flying(taskId: string): Readonly<AttemptRecord> | undefined {
    return this.#flying.get(taskId)?.record;
  }

  /** An attempt was handed back before it had begun. Returns its record as it then is. */
  giveBack(taskId: string, nowMs: number, wallMs: number): AttemptRecord | undefined {
    this.#queuedSinceMs.set(this.#find(taskId), nowMs);
    const flight = this.#flying.get(taskId);
    this.#flying.delete(taskId);
    return flight && { ...flight.record, finishedAt: wallMs };
  }

  /** An attempt ended. Returns its record as it then is; undefined when none had begun. */
  end(taskId: string, ending: Ending, nowMs: number, wallMs: number): AttemptRecord | undefined {
    const record = this.#flying.get(taskId)?.record;
    this.#queuedSinceMs.set(this.#find(taskId), nowMs);
    if (!record) return undefined;
    this.#flying.delete(taskId);
    const { attempt: number, worker, startedAt } = record;
    const { outcome, code, reason } = ending;
    // Named one by one: to spread a record takes several times as long.
    const attempt: AttemptRecord = {
      attempt: number,
      worker,
      startedAt,
      finishedAt: wallMs,
      outcome,
    };
    if (code !== undefined) attempt.code = code;
    if (reason !== undefined) attempt.reason = reason;
    return attempt;
  }

  /** Where the time of the attempt that is ending went; undefined without a worker's figures. */
  timeline(taskId: string, ending: Ending, nowMs: number): Timeline | undefined {
    const phases = ending.result?.phases;
    const flight = this.#flying.get(taskId);
    if (!phases || !flight) return undefined;
    const { queuedMs, dispatchedMs } = flight;
    const { startMs, runMs, drainMs, checkMs = 0 } = phases;
    // What the worker did not account for: the way there and back.
    const dispatchMs = Math.max(0, nowMs - dispatchedMs - startMs - runMs - drainMs - checkMs);
    return { queuedMs, dispatchMs, startMs, runMs, drainMs, checkMs };
  }

  #find(taskId: string): number {
    const row = this.#ids.find(taskId);
    invariant(row !== noRow, `task ${taskId} is not in flight`);
    return row;
  }

  /** Makes room for so many tasks at once. */
  reserve(tasks: number): void {
    if (tasks <= this.#capacity) return;
    this.#capacity = tasks;
    this.#ids.grow(this.#capacity);
    this.#queuedSinceMs.grow(this.#capacity);
    this.#bytes.grow(this.#capacity);
  }
}
