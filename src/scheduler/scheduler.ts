import type { AttemptKey, Result, TaskState } from '../task.js';
import type { Action } from './action.js';
import { Attendance, type Inventory } from './attendance.js';
import { Core, type SchedulerOptions } from './core.js';
import type { CancelCause } from './endings.js';
import { type Explanation, explain } from './explain.js';
import { Life, type NewTask } from './life.js';
import { Placement } from './placement.js';
import { type Moment, Recovery, type RestoredTask } from './recovery.js';
import type { Workers } from './workers.js';

export type { Action, DeadLetterCause, StopCause } from './action.js';
export type { Inventory } from './attendance.js';
export type { SchedulerOptions } from './core.js';
export type { Explanation } from './explain.js';
export type { NewTask } from './life.js';
export type { RestoredTask } from './recovery.js';

/** The tasks of one type, in numbers. */
export interface LaneReport {
  type: string;
  paused: boolean;
  /** Could be dispatched. */
  ready: number;
  /** Wait for their time: delayed, or to be tried again. */
  waiting: number;
  /** On a worker. */
  running: number;
  /** Connected workers, and their slots. */
  workers: number;
  slots: number;
  /** Groups that are remembered, those without work included. */
  groups: number;
  /** The task whose turn it is; absent when none is ready. */
  head?: {
    taskId: string;
    /** For what it waited before it was ready. Monotonic milliseconds; a time to come says nothing. */
    heldUntilMs: number;
  };
}

/**
 * Decides what runs where and when, and what an end means. Does no I/O: time comes in with each
 * call (`nowMs`, monotonic milliseconds), decisions go out as actions, to be taken with `take`
 * after each turn. Holds only tasks that are not finished.
 *
 * This is the whole of what others call; the parts behind it share a `Core`.
 */
export class Scheduler {
  readonly #core: Core;
  readonly #life: Life;
  readonly #placement: Placement;
  readonly #attendance: Attendance;
  readonly #recovery: Recovery;

  constructor(options: SchedulerOptions) {
    this.#core = new Core(options);
    this.#life = new Life(this.#core);
    this.#placement = new Placement(this.#core, this.#life);
    this.#attendance = new Attendance(this.#core, this.#life);
    this.#recovery = new Recovery(this.#core, this.#life, this.#attendance);
  }

  get pendingCount(): number {
    return this.#core.table.size - this.#core.attempts.size;
  }

  get runningCount(): number {
    return this.#core.attempts.size;
  }

  /** Deadlines that are kept, past ones included. */
  get deadlineCount(): number {
    return this.#core.timers.size + this.#core.workerDues.size;
  }

  get workers(): Workers {
    return this.#core.workers;
  }

  /** Nothing is dispatched any more, and workers are asked for what they have not begun. */
  halt(): void {
    this.#placement.halt();
  }

  /** When `take` has to be called next, monotonic milliseconds, or undefined. */
  get nextDeadlineMs(): number | undefined {
    const { timers, workerDues, settledAtMs } = this.#core;
    const settledMs = Number.isFinite(settledAtMs) ? settledAtMs : Number.POSITIVE_INFINITY;
    const dueMs = workerDues.nextMs ?? Number.POSITIVE_INFINITY;
    const nextMs = Math.min(timers.firstKey, dueMs, settledMs);
    return nextMs === Number.POSITIVE_INFINITY ? undefined : nextMs;
  }

  stateOf(taskId: string): TaskState | undefined {
    const row = this.#core.table.find(taskId);
    if (row < 0) return undefined;
    return this.#core.attempts.has(row) ? 'running' : 'pending';
  }

  /** What holds the task back, or what it does; undefined when no such task is unfinished. */
  explain(taskId: string, nowMs: number): Explanation | undefined {
    return explain(this.#core, taskId, nowMs);
  }

  lanes(): LaneReport[] {
    return [...this.#core.lanes.values()].map(({ type, paused, queue, waiting, running }) => {
      const { connected: workers, slots } = this.#core.workers.crew(type);
      const { size: ready, groupCount: groups } = queue;
      const head = this.#head(queue.peek());
      return { type, paused, ready, waiting, running, workers, slots, groups, ...head };
    });
  }

  #head(row: number): Pick<LaneReport, 'head'> {
    if (row < 0) return {};
    const { table } = this.#core;
    return { head: { taskId: table.idOf(row), heldUntilMs: table.wakeAtMs.get(row) } };
  }

  /** Makes room for so many tasks at once. */
  reserve(tasks: number): void {
    this.#core.table.reserve(tasks);
  }

  /** A new task, durable by now. */
  submit(task: NewTask): void {
    this.#life.submit(task);
  }

  /**
   * A task that an earlier controller left unfinished; all of them in order of submission, before
   * any worker is connected. One that ran waits `recoveryGraceMs` for its worker.
   */
  restore(task: RestoredTask, moment: Moment): void {
    this.#recovery.restore(task, moment);
  }

  /** A finished task is sent again, as the same task: its attempts are counted on from there. */
  resubmit(task: RestoredTask, moment: Moment): void {
    this.#recovery.restore(task, moment, false);
  }

  /** A worker's both connections stand. What it has counts on, if it is current; else it is stopped. */
  connect(inventory: Inventory, nowMs: number): void {
    this.#attendance.connect(inventory, nowMs);
  }

  /** The worker or a connection to it is lost: so is what it had, at once or after its grace. */
  disconnect(workerId: string, nowMs: number): void {
    this.#attendance.disconnect(workerId, nowMs);
  }

  /** The worker does not come back: what it had is lost now. One that is not known is passed over. */
  remove(workerId: string, nowMs: number): void {
    this.#attendance.remove(workerId, nowMs);
  }

  /** The worker gets nothing new, and is asked for what it has not begun. */
  drain(workerId: string): void {
    this.#placement.drain(workerId);
  }

  /** Nothing of the type is dispatched; what has begun goes on. */
  pauseType(type: string): void {
    this.#placement.pause(type);
  }

  resumeType(type: string): void {
    this.#placement.resume(type);
  }

  /** The worker says that the attempt has begun: its time runs from now on. */
  started(workerId: string, key: AttemptKey, nowMs: number): void {
    this.#life.started(workerId, key, nowMs);
  }

  /** A result came in. One of an attempt that is no longer current counts for nothing. */
  result(workerId: string, key: AttemptKey, result: Result, nowMs: number): void {
    this.#life.result(workerId, key, result, nowMs);
  }

  /** The attempt was not given to its worker: its task could not be read. It counts. */
  unread(workerId: string, key: AttemptKey, nowMs: number): void {
    this.#life.unread(workerId, key, nowMs);
  }

  /** The worker handed the attempt back: it has not begun and will not. */
  recalled(workerId: string, key: AttemptKey, nowMs: number): void {
    this.#life.returned(workerId, key, nowMs);
  }

  /** Asks for a task's end. False when no such task is unfinished. */
  cancel(taskId: string, cause: CancelCause, nowMs: number): boolean {
    return this.#life.cancel(taskId, cause, nowMs);
  }

  /** Does what has become due. `take` does so, too. */
  tick(nowMs: number): void {
    const { timers } = this.#core;
    if (nowMs >= this.#core.settledAtMs) this.#core.settledAtMs = Number.NEGATIVE_INFINITY;
    this.#attendance.tick(nowMs);
    while (timers.firstKey <= nowMs) this.#life.due(timers.first, nowMs);
  }

  /** Does what is due, fills free slots, and hands out all that was decided since the last call. */
  take(nowMs: number): Action[] {
    this.tick(nowMs);
    this.#placement.place(nowMs);
    return this.#core.takeActions();
  }
}
