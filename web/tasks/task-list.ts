import { signal } from '@preact/signals';
import type { Task } from '../../src/client/task.js';
import { follow } from '../api/events.js';
import { sentenceOf } from '../api/problem.js';
import { askPage, type HeadEvent, headPath, type ListedPage, pageTasks } from './listed-page.js';
import type { TaskFilter } from './task-filter.js';
import { rowOf, type TaskRow, updateRows } from './task-row.js';

/** Rows looked through for what the head names, before all others. */
const nearRows = 3 * pageTasks;
/** Pages one after another without any task that fits, before somebody must ask for more. */
const emptyPagesMax = 20;
/** At the top nobody looks at more than its beginning: a page that is open for days keeps so many. */
const keptRows = 50 * pageTasks;
/** Of a list; each takes about 300 bytes. */
export const rowsMax = 1_000_000;

interface TaskHead {
  rows: TaskRow[];
  next: string | undefined;
}

/**
 * The tasks that fit a filter, newest first. Its head, the newest 200, is live; older pages come when
 * they are asked for.
 *
 *     events ─▶ head ─┬─ at the top: shown at once ──────────▶ rows
 *                     └─ else held, and counted in `held` ───▲  (`release`)
 *     `older` ─▶ page after the last row ────────────────────▶ rows
 *
 * What changes of rows that are there is always shown at once.
 */
export class TaskList {
  readonly filter: TaskFilter;
  /** Counts the changes of what is below. */
  readonly version = signal(0);
  rows: TaskRow[] = [];
  /** Of the last change: those who had not been there. */
  arrived: ReadonlySet<string> = new Set();
  /** False until the service has answered for the first time. */
  isKnown = false;
  /** There is nothing older. */
  isWhole = false;
  isAsking = false;
  /** It has looked at very many tasks that do not fit, and goes on when it is told to. */
  isResting = false;
  /** What is wrong with the stream, and with the last page that was asked for; '' is well. */
  fault = '';
  pageFault = '';
  /** New tasks that are held back. `isMore`: there are more than could be counted. */
  held = { count: 0, isMore: false };

  /** Whether what is new may move the rows. */
  #isAtTop = true;
  #head: TaskHead | undefined;
  /** Tasks that are known to be gone, with the attempt as which they went. */
  readonly #gone = new Map<string, number>();
  /** Where the rows go on. */
  #next: string | undefined;
  #emptyPages = 0;
  /** Counts how often the rows began anew: a page of before is not theirs. */
  #epoch = 0;
  #ending = new AbortController();

  constructor(filter: TaskFilter) {
    this.filter = filter;
  }

  /** Begins to be live. @returns ends it; the rows stay */
  start(): () => void {
    this.#ending = new AbortController();
    const end = follow(headPath(this.filter), {
      onEvent: (name, data) => {
        if (name === 'tasks') this.#onHead(data as HeadEvent);
      },
      onFault: (fault) => {
        this.fault = fault;
        this.#changed();
      },
    });
    return () => {
      end();
      this.#ending.abort();
    };
  }

  /** Whether the list is scrolled to its top, where what is new slides in. */
  set isAtTop(is: boolean) {
    const isNew = is && !this.#isAtTop;
    this.#isAtTop = is;
    if (isNew) this.release();
  }

  /** Shows what is held back. */
  release(): void {
    if (!this.#head) return;
    this.#show(this.#head);
    this.#changed();
  }

  /** Asks for the page after the last row. Once is enough. */
  async older(): Promise<void> {
    const cursor = this.#next;
    if (this.isAsking || cursor === undefined || this.rows.length >= rowsMax) return;
    const epoch = this.#epoch;
    const { signal } = this.#ending;
    if (this.isResting) this.#emptyPages = 0;
    this.isAsking = true;
    this.isResting = false;
    this.pageFault = '';
    this.#changed();
    try {
      const page = await askPage(this.filter, cursor, signal);
      if (epoch === this.#epoch) this.#append(page, cursor);
    } catch (error) {
      if (signal.aborted) return;
      this.pageFault = sentenceOf(error);
    } finally {
      this.isAsking = false;
      this.#changed();
    }
  }

  /** Asks again about those of these rows that are older than the head and have not ended. */
  async refresh(from: number, to: number): Promise<void> {
    const open = this.rows
      .slice(from, to)
      .filter(({ state, page, isGone }) => state !== 'finished' && page !== undefined && !isGone);
    const { signal } = this.#ending;
    try {
      for (const page of new Set(open.map((row) => row.page))) {
        const epoch = this.#epoch;
        const answer = await askPage(this.filter, page, signal);
        const asked = open.filter((row) => row.page === page);
        if (epoch === this.#epoch) updateRows(asked, answer.tasks, answer.next === undefined);
      }
    } catch (error) {
      if (signal.aborted) return;
      this.fault = sentenceOf(error);
    }
    if (open.length > 0) this.#changed();
  }

  /** Where a task is; -1: nowhere. */
  indexOf(id: string): number {
    return this.rows.findIndex((row) => row.id === id);
  }

  /** It is known that a task does not fit any more. */
  gone(id: string): void {
    const row = this.rows[this.indexOf(id)];
    if (!row) return;
    row.isGone = true;
    this.#gone.set(id, row.attempt);
    this.#changed();
  }

  /** Takes away the rows that do not fit any more. */
  tidy(): void {
    this.rows = this.rows.filter((row) => !row.isGone);
    this.#changed();
  }

  #append({ tasks, next }: ListedPage, cursor: string): void {
    const last = new Set(this.rows.slice(-pageTasks).map(({ id }) => id));
    for (const task of tasks) if (!last.has(task.id)) this.rows.push(rowOf(task, cursor));
    this.#next = next;
    this.isWhole = next === undefined;
    this.#emptyPages = tasks.length === 0 ? this.#emptyPages + 1 : 0;
    this.isResting = !this.isWhole && this.#emptyPages >= emptyPagesMax;
  }

  #onHead({ tasks, order, next }: HeadEvent): void {
    const near = new Map(this.rows.slice(0, nearRows).map((row) => [row.id, row]));
    for (const row of this.#head?.rows ?? []) near.set(row.id, row);
    const changed = new Map(tasks.map((task) => [task.id, task]));
    const listed = order.flatMap((id) => {
      const task = changed.get(id);
      const known = near.get(id) ?? (task && this.#deep(task));
      if (!task) return known ? [known] : [];
      return known ? [Object.assign(known, rowOf(task))] : [rowOf(task)];
    });
    const rows = this.#withoutGone(listed);
    this.#mark(rows);
    this.#head = { rows, next };
    this.isKnown = true;
    this.fault = '';
    if (this.#isAtTop && this.rows.length > keptRows) this.rows = [];
    if (this.#isAtTop || this.rows.length === 0) this.#show(this.#head);
    else this.#hold(this.#head);
    this.#changed();
  }

  /** The service may have looked just before they went. Who comes again does so with another attempt. */
  #withoutGone(listed: readonly TaskRow[]): TaskRow[] {
    const rows = listed.filter(({ id, attempt }) => this.#gone.get(id) !== attempt);
    if (rows.length === listed.length) this.#gone.clear();
    return rows;
  }

  /** One that was sent again is a new one, and may be far down. */
  #deep({ id, createdAt }: Task): TaskRow | undefined {
    const newestMs = Math.max(0, ...(this.#head?.rows ?? []).map((row) => row.createdMs));
    if (Date.parse(createdAt) > newestMs) return undefined;
    return this.rows.find((row) => row.id === id);
  }

  /** Of the head before, what is not in this one and has not just fallen off its end. */
  #mark(rows: readonly TaskRow[]): void {
    const now = new Set(rows);
    for (const row of rows) row.isGone = false;
    const before = this.#head?.rows ?? [];
    const last = before.findLastIndex((row) => now.has(row));
    before.forEach((row, index) => {
      if (index < last && !now.has(row)) row.isGone = true;
    });
  }

  #hold({ rows, next }: TaskHead): void {
    const there = new Set(this.rows.slice(0, nearRows));
    const count = rows.filter((row) => !there.has(row)).length;
    this.held = { count, isMore: next !== undefined && count === rows.length };
  }

  #show({ rows, next }: TaskHead): void {
    const now = new Set(rows);
    const before = new Set(this.rows.slice(0, nearRows));
    this.arrived = new Set(
      this.rows.length === 0 ? [] : rows.filter((row) => !before.has(row)).map(({ id }) => id),
    );
    const last = this.rows.slice(0, nearRows).findLastIndex((row) => now.has(row));
    const isAnew = next === undefined || last === -1;
    const older = isAnew
      ? []
      : this.rows.slice(last + 1).filter((row) => !now.has(row) && !row.isGone);
    for (const row of older.slice(0, nearRows)) row.page ??= next;
    if (isAnew) this.#epoch += 1;
    if (older.length === 0) {
      this.#next = next;
      this.isWhole = next === undefined;
    }
    this.rows = [...rows, ...older];
    this.held = { count: 0, isMore: false };
  }

  #changed(): void {
    this.version.value += 1;
  }
}
