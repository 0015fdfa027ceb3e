import type { Retry } from '../task.js';
import type { Action } from './action.js';
import type { Attempt, WorkerState } from './attempt.js';
import { Deadlines } from './deadlines.js';
import { FairQueue, type Group, Groups } from './fair-queue.js';
import { Lane } from './lane.js';
import { type RetryPolicy, retryPolicyOf } from './retry.js';
import { RowHeap } from './row-heap.js';
import { type AttemptEvent, attemptSteps } from './states.js';
import { type Hold, holds, TaskTable } from './task-table.js';
import { Workers } from './workers.js';

export interface SchedulerOptions {
  /** Evenly distributed over [0, 1). */
  random: () => number;
  /** What tasks of a type get that do not ask. */
  retry?: ReadonlyMap<string, Retry>;
  /** Weight of each group by name; others have 1. */
  groups?: ReadonlyMap<string, number>;
}

/** What has to happen to a worker when. */
export type WorkerDue =
  | { type: 'away'; worker: WorkerState }
  /** Of an attempt that nobody wants any more: the worker should have ended it by now. */
  | { type: 'staleUnanswered'; worker: WorkerState; id: string };

/** The state that the parts of the scheduler share, and the small steps that keep it whole. */
export class Core {
  readonly options: SchedulerOptions;
  readonly table = new TaskTable();
  readonly groups = new Groups();
  readonly lanes = new Map<string, Lane>();
  readonly workers = new Workers();
  /** Attempts that workers have, by the row of their task: the running tasks. */
  readonly attempts = new Map<number, Attempt>();
  /** The one time of each task at which something has to happen to it. */
  readonly timers = new RowHeap(this.table.timerPlace);
  readonly workerDues = new Deadlines<WorkerDue>();
  /** Types in which something changed that may lead to a dispatch or a recall. */
  readonly stirred = new Set<string>();
  /** While set nothing is dispatched. */
  paused = false;
  /** Nothing is dispatched before; see `settleMs`. */
  settledAtMs = Number.NEGATIVE_INFINITY;
  #sequence = 0;
  #actions: Action[] = [];

  constructor(options: SchedulerOptions) {
    this.options = options;
  }

  act(action: Action): void {
    this.#actions.push(action);
  }

  takeActions(): Action[] {
    const actions = this.#actions;
    this.#actions = [];
    return actions;
  }

  nextSequence(): number {
    return this.#sequence++;
  }

  lane(type: string): Lane {
    let lane = this.lanes.get(type);
    if (!lane) {
      const weights = this.options.groups ?? new Map();
      lane = new Lane(type, new FairQueue(type, this.table, this.groups, weights));
      this.lanes.set(type, lane);
    }
    return lane;
  }

  groupOf(row: number): Group {
    return this.groups.get(this.table.group.get(row));
  }

  laneOf(row: number): Lane {
    return this.lane(this.groupOf(row).type);
  }

  retryPolicy(type: string, asked: Retry | undefined): RetryPolicy {
    return retryPolicyOf(asked, this.options.retry?.get(type));
  }

  holdOf(row: number): Hold {
    return holds[this.table.hold.get(row)] ?? 'none';
  }

  /** The pending task waits until then. */
  hold(row: number, hold: Exclude<Hold, 'none'>, untilMs: number): void {
    if (this.holdOf(row) === 'none') this.laneOf(row).waiting++;
    this.table.hold.set(row, holds.indexOf(hold));
    this.table.wakeAtMs.set(row, untilMs);
    this.arm(row);
  }

  /** It waits for nothing any more. */
  unhold(row: number): void {
    if (this.holdOf(row) !== 'none') this.laneOf(row).waiting--;
    this.table.hold.set(row, 0);
  }

  /** The pending task may be dispatched. */
  makeReady(row: number): void {
    this.unhold(row);
    const lane = this.laneOf(row);
    lane.queue.add(row);
    this.stirred.add(lane.type);
    this.arm(row);
  }

  /** Sets the timer of a task to what is next, as it stands. */
  arm(row: number): void {
    const { table, timers } = this;
    let atMs: number;
    if (this.attempts.has(row)) atMs = table.wakeAtMs.get(row);
    else if (this.holdOf(row) === 'none') atMs = table.expiresAtMs.get(row);
    else atMs = Math.min(table.wakeAtMs.get(row), table.expiresAtMs.get(row));
    if (atMs === Number.POSITIVE_INFINITY) timers.remove(row);
    else timers.set(row, atMs);
  }

  /** Sets when a running task needs attention. Infinity: never. */
  wakeAt(row: number, atMs: number): void {
    this.table.wakeAtMs.set(row, atMs);
    this.arm(row);
  }

  /** The one place where an attempt's state is changed. */
  moveAttempt(attempt: Attempt, event: AttemptEvent): void {
    const next = attemptSteps[attempt.state][event];
    if (next === 'stay') return;
    const lane = this.laneOf(attempt.row);
    if (attempt.state === 'recalling') lane.recalling--;
    if (next === 'recalling') lane.recalling++;
    attempt.state = next;
  }
}
