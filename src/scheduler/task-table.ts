import { invariant } from '../invariant.js';
import { Column, float64, int32, uint8 } from './column.js';
import { TaskIds } from './task-ids.js';

const rowsMin = 64;

/** What a pending task waits for, as its `hold` says. */
export const holds = ['none', 'runAt', 'retry', 'retryRate'] as const;
export type Hold = (typeof holds)[number];

/**
 * The unfinished tasks, a row of numbers each: no object, no closure and no timer per task. A row is
 * used again once its task is finished.
 */
export class TaskTable {
  readonly #ids = new TaskIds();
  readonly #free: number[] = [];
  #rows = 0;
  #capacity = 0;

  /** Where it stands among its group: lower goes first. See evaluator.ts. */
  readonly rank = new Column(float64);
  /** Order of submission; decides between equal ranks. */
  readonly sequence = new Column(float64);
  /** While it waits: until when. While it runs: when it is overdue. Monotonic milliseconds. */
  readonly wakeAtMs = new Column(float64);
  /** Infinity: never. */
  readonly expiresAtMs = new Column(float64);
  /** Index of its group. */
  readonly group = new Column(int32);
  readonly wallMs = new Column(int32);
  /** Number of the current or last attempt; 0 before the first. */
  readonly attempt = new Column(int32);
  readonly retryBaseMs = new Column(int32);
  readonly retryCapMs = new Column(int32);
  /** Its places in the queue of its group, and among the timers. */
  readonly queuePlace = new Column(int32);
  readonly timerPlace = new Column(int32);
  /** Attempts that count: those that may have begun. */
  readonly tried = new Column(uint8);
  readonly maxAttempts = new Column(uint8);
  /** Outcomes that are tried again, as retry.ts has them in bits. */
  readonly retryOn = new Column(uint8);
  readonly workerDeaths = new Column(uint8);
  /** Index in `holds`. */
  readonly hold = new Column(uint8);
  /** Index of the last attempt's code, plus one. */
  readonly lastCode = new Column(uint8);

  readonly #columns: readonly {
    grow(rows: number): void;
    set(row: number, value: number): void;
  }[] = [
    ...[this.rank, this.sequence, this.wakeAtMs, this.expiresAtMs, this.group, this.wallMs],
    ...[this.attempt, this.retryBaseMs, this.retryCapMs, this.queuePlace, this.timerPlace],
    ...[this.tried, this.maxAttempts, this.retryOn, this.workerDeaths, this.hold, this.lastCode],
  ];

  /** Unfinished tasks. */
  get size(): number {
    return this.#rows - this.#free.length;
  }

  /** The row of the task; -1 when it is not here. */
  find(id: string): number {
    return this.#ids.find(id);
  }

  idOf(row: number): string {
    return this.#ids.text(row);
  }

  /** A row for a new task, all zero. */
  add(id: string): number {
    const freed = this.#free.pop();
    const row = freed ?? this.#rows++;
    if (row === this.#capacity) this.reserve(Math.max(rowsMin, 2 * row));
    // One that nobody had is zero already, and takes no memory where it stays so.
    if (freed !== undefined) for (const column of this.#columns) column.set(row, 0);
    invariant(this.#ids.add(row, id), `task ${id} was submitted twice, or its id is no UUID`);
    return row;
  }

  remove(row: number): void {
    this.#ids.remove(row);
    this.#free.push(row);
  }

  /** Makes room for so many tasks at once. */
  reserve(tasks: number): void {
    if (tasks <= this.#capacity) return;
    this.#capacity = tasks;
    this.#ids.grow(this.#capacity);
    for (const column of this.#columns) column.grow(this.#capacity);
  }
}
