import { invariant } from '../invariant.js';
import type { AttemptKey } from '../task.js';
import { type Attempt, attemptId, type WorkerState } from './attempt.js';
import type { Core } from './core.js';
import type { Life } from './life.js';
import { schedulerLimits } from './limits.js';
import type { WorkerOffer } from './workers.js';

/** What a worker says when both its connections stand. */
export interface Inventory extends WorkerOffer {
  /** Attempts that it runs or has waiting, oldest first. */
  running: readonly AttemptKey[];
  /** Attempts whose results it holds and sends again. */
  unacknowledged?: readonly AttemptKey[] | undefined;
}

/** Workers that come, go, are waited for and come back: whose attempts count, and whose are over. */
export class Attendance {
  readonly core: Core;
  readonly life: Life;

  constructor(core: Core, life: Life) {
    this.core = core;
    this.life = life;
  }

  /**
   * Both connections of the worker stand. What it has and is current counts on; what else it runs
   * is stopped, what else it holds is forgotten; what it should have and does not is lost.
   */
  connect(inventory: Inventory, nowMs: number): void {
    const { core, life } = this;
    const before = core.workers.get(inventory.id);
    invariant(!before || before.awayUntilMs !== undefined, `${inventory.id} is connected twice`);
    if (before) core.workers.remove(before);
    const worker = core.workers.add(inventory);
    for (const key of inventory.running) {
      if (!this.claim(worker, before, key, nowMs)) this.stopStale(worker, key, nowMs);
    }
    for (const key of inventory.unacknowledged ?? []) {
      if (worker.attempts.has(attemptId(key.taskId, key.attempt))) continue;
      const attempt = this.claim(worker, before, key, nowMs);
      // Its result is on the way, and its slot is free again.
      if (attempt) core.wakeAt(attempt.row, nowMs + schedulerLimits.overdueGraceMs);
      else core.act({ type: 'forget', workerId: worker.id, ...key });
    }
    for (const attempt of [...(before?.attempts.values() ?? [])]) {
      const same = worker.instance !== undefined && worker.instance === before?.instance;
      // The same process that does not know it never got it.
      if (same) life.apply(attempt.row, 'returned', nowMs);
      else life.lost(attempt, nowMs);
    }
    core.stirred.add(worker.type);
  }

  /** The worker has this attempt: the task's current one from now on, if it may be. */
  claim(
    worker: WorkerState,
    before: WorkerState | undefined,
    key: AttemptKey,
    nowMs: number,
  ): Attempt | undefined {
    const { core, life } = this;
    const { table } = core;
    const row = table.find(key.taskId);
    if (row < 0 || worker.attempts.has(attemptId(key.taskId, key.attempt))) return undefined;
    const known = core.attempts.get(row);
    if (known && known.worker === before && known.number === key.attempt) {
      return this.move(known, worker, nowMs);
    }
    // A controller before us gave it out, and was gone before the store knew.
    const ahead = key.attempt - table.attempt.get(row);
    const newer = ahead > 0 && ahead <= schedulerLimits.attemptsAheadMax;
    const unsure = !known || known.worker.awayUntilMs !== undefined;
    if (!newer || !unsure) return undefined;
    const cancel = known?.cancel;
    if (known) life.detach(known, nowMs, 'unbegun');
    else core.laneOf(row).queue.remove(row);
    core.unhold(row);
    table.tried.set(row, Math.min(table.tried.get(row) + 1, table.maxAttempts.get(row)));
    life.expect(row, 'adopt', 'attach');
    const attempt = life.attach(row, key.attempt, worker, nowMs, 0);
    attempt.cancel = cancel;
    this.adopted(attempt, nowMs);
    return attempt;
  }

  /** An attempt that waited for its worker has it back. */
  move(attempt: Attempt, worker: WorkerState, nowMs: number): Attempt {
    const { core, life } = this;
    const { overdueAtMs, startedAtMs } = attempt;
    attempt.worker.attempts.delete(attempt.id);
    attempt.worker.queued.delete(attempt);
    attempt.worker = worker;
    if (core.workers.occupy(worker, attempt)) {
      life.watch(attempt, nowMs);
      if (startedAtMs !== undefined) {
        attempt.startedAtMs = startedAtMs;
        // Its time ran while it was away, but its result had no way to come.
        attempt.overdueAtMs = Math.max(overdueAtMs, nowMs + schedulerLimits.overdueGraceMs);
        core.wakeAt(attempt.row, attempt.overdueAtMs);
      }
    } else {
      core.wakeAt(attempt.row, core.table.expiresAtMs.get(attempt.row));
    }
    this.adopted(attempt, nowMs);
    return attempt;
  }

  adopted(attempt: Attempt, nowMs: number): void {
    const { worker, taskId, number, row } = attempt;
    const tried = this.core.table.tried.get(row);
    this.core.act({ type: 'adopt', workerId: worker.id, taskId, attempt: number, tried });
    if (attempt.cancel || attempt.overran) this.life.stop(attempt, nowMs);
  }

  stopStale(worker: WorkerState, { taskId, attempt }: AttemptKey, nowMs: number): void {
    const id = attemptId(taskId, attempt);
    if (worker.attempts.has(id) || worker.stale.has(id)) return;
    // It holds a slot there until its result comes, whether or not that result counts.
    this.core.workers.occupyStale(worker, id);
    this.core.act({ type: 'stop', workerId: worker.id, taskId, attempt, cause: 'stale' });
    const unansweredMs = nowMs + schedulerLimits.stopGraceMs;
    this.core.workerDues.add(unansweredMs, { type: 'staleUnanswered', worker, id });
  }

  /** The worker or a connection to it is lost: its attempts are, at once or unless it returns. */
  disconnect(workerId: string, nowMs: number): void {
    const worker = this.core.workers.get(workerId);
    if (!worker || worker.awayUntilMs !== undefined) return;
    const waits = worker.reconnectGraceMs > 0 && !worker.dropped && worker.attempts.size > 0;
    if (waits) this.wait(worker, nowMs + worker.reconnectGraceMs);
    else this.lose(worker, nowMs);
  }

  /** It does not come back, connected or waited for. */
  remove(workerId: string, nowMs: number): void {
    const worker = this.core.workers.get(workerId);
    if (worker) this.lose(worker, nowMs);
  }

  /** Its attempts wait for it. */
  wait(worker: WorkerState, untilMs: number): void {
    const { core } = this;
    core.workers.leave(worker, untilMs);
    core.workerDues.add(untilMs, { type: 'away', worker });
    for (const attempt of worker.attempts.values()) {
      core.wakeAt(attempt.row, Number.POSITIVE_INFINITY);
      // It will be asked again when it is back, if that is still wanted.
      core.moveAttempt(attempt, 'left');
    }
  }

  lose(worker: WorkerState, nowMs: number): void {
    this.core.workers.remove(worker);
    const queued = [...worker.queued];
    // Those without a slot first: none may take a lost one's.
    for (const attempt of queued) this.life.lost(attempt, nowMs);
    for (const attempt of [...worker.attempts.values()]) this.life.lost(attempt, nowMs);
    this.core.stirred.add(worker.type);
  }

  /** What had to happen to workers by now. */
  tick(nowMs: number): void {
    const { workerDues, workers } = this.core;
    for (let due = workerDues.takeDue(nowMs); due; due = workerDues.takeDue(nowMs)) {
      const { worker } = due;
      if (workers.get(worker.id) !== worker) continue;
      if (due.type === 'away') this.lose(worker, nowMs);
      else if (worker.stale.has(due.id)) this.life.drop(worker, due.id);
    }
  }
}
