import { limits } from '../limits.js';
import type { Retry } from '../task.js';
import type { Attendance } from './attendance.js';
import type { Core } from './core.js';
import type { CancelCause } from './endings.js';
import type { Life } from './life.js';
import { schedulerLimits } from './limits.js';

/** What the store knows of an unfinished task. Times in milliseconds since 1970-01-01 UTC. */
export interface RestoredTask {
  id: string;
  type: string;
  priority: number;
  score?: number | undefined;
  group?: string | undefined;
  createdAt: number;
  runAt?: number | undefined;
  expiresAt?: number | undefined;
  wallMs: number;
  retry?: Retry | undefined;
  /** Number of the current or last attempt. */
  attempt: number;
  /** Of those, the ones that do not count. Default: none. */
  attemptsBefore?: number | undefined;
  workerDeaths: number;
  state: 'pending' | 'running';
  /** Who runs it. */
  worker?: string | undefined;
  /** The process of that name that does. */
  instance?: string | undefined;
  /** When the running attempt began. */
  startedAt?: number | undefined;
  /** When it is to be tried again. */
  nextAttemptAt?: number | undefined;
  /** That somebody asked for its end. */
  cancel?: { cause: CancelCause; requestedAt: number } | undefined;
}

/** The same moment on both clocks, in milliseconds. */
export interface Moment {
  nowMs: number;
  wallMs: number;
}

/** Slots of a worker of which only the name is known: whatever it had, it may have begun. */
const slotsUnknown = 65_536;

/** Takes back what an earlier controller left unfinished. */
export class Recovery {
  readonly core: Core;
  readonly life: Life;
  readonly attendance: Attendance;
  #lastCreatedAtMs = Number.NEGATIVE_INFINITY;

  constructor(core: Core, life: Life, attendance: Attendance) {
    this.core = core;
    this.life = life;
    this.attendance = attendance;
  }

  /**
   * One task, in order of submission, before any worker is connected.
   *
   * @param settles the workers are asked first what they run, before anything is dispatched
   */
  restore(task: RestoredTask, moment: Moment, settles = true): void {
    const { core, life } = this;
    const { table } = core;
    // A million of them are restored at a start: so no spread, and no closure.
    const sinceWallMs = moment.nowMs - moment.wallMs;
    // Whatever the wall clock did meanwhile, an earlier one stays earlier, and none is from later.
    const createdAt = Math.min(
      moment.nowMs,
      Math.max(this.#lastCreatedAtMs, task.createdAt + sinceWallMs),
    );
    this.#lastCreatedAtMs = createdAt;
    const { id, type, priority, score, group, wallMs, retry } = task;
    const expiresAtMs = task.expiresAt === undefined ? undefined : task.expiresAt + sinceWallMs;
    const row = life.enter({
      id,
      type,
      priority,
      score,
      group,
      createdAt,
      expiresAtMs,
      wallMs,
      retry,
    });
    table.attempt.set(row, task.attempt);
    table.tried.set(row, triedOf(task));
    table.workerDeaths.set(row, task.workerDeaths);
    if (task.state === 'running' && task.worker !== undefined) {
      this.#wait(row, task, task.worker, moment);
    } else if (task.nextAttemptAt !== undefined) {
      core.hold(row, 'retry', heldUntilMs(task.nextAttemptAt, moment, table.retryCapMs.get(row)));
    } else if (task.runAt !== undefined) {
      core.hold(row, 'runAt', heldUntilMs(task.runAt, moment, limits.delayMsMax));
    } else {
      core.makeReady(row);
    }
    const { cancel } = task;
    if (cancel) {
      const requestedAtMs = Math.min(moment.nowMs, cancel.requestedAt + sinceWallMs);
      life.askForEnd(row, { cause: cancel.cause, requestedAtMs }, moment.nowMs);
    }
    if (settles) core.settledAtMs = moment.nowMs + schedulerLimits.settleMs;
  }

  /** Its attempt waits for its worker. */
  #wait(row: number, task: RestoredTask, workerId: string, moment: Moment): void {
    const { core, life } = this;
    const untilMs = moment.nowMs + schedulerLimits.recoveryGraceMs;
    let worker = core.workers.get(workerId);
    if (!worker) {
      const { type, instance } = task;
      worker = core.workers.add({ id: workerId, type, slots: slotsUnknown, instance }, untilMs);
      core.workerDues.add(untilMs, { type: 'away', worker });
    }
    const attempt = life.attach(row, task.attempt, worker, moment.nowMs, 0);
    if (task.startedAt === undefined) return;
    const startedAtMs = Math.min(moment.nowMs, moment.nowMs + task.startedAt - moment.wallMs);
    attempt.startedAtMs = startedAtMs;
    attempt.overdueAtMs = startedAtMs + task.wallMs + schedulerLimits.overdueGraceMs;
  }
}

/** Where it is farther ahead than anybody can have asked for, the wall clock was wrong, or is. */
function heldUntilMs(at: number, { nowMs, wallMs }: Moment, aheadMsMax: number): number {
  return nowMs + Math.min(at - wallMs, aheadMsMax);
}

/** Attempts that count. */
function triedOf({ attempt, attemptsBefore = 0 }: RestoredTask): number {
  return Math.min(255, Math.max(0, attempt - attemptsBefore));
}
