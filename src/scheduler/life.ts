import { retryDelayMs } from '../backoff.js';
import { invariant } from '../invariant.js';
import { limits } from '../limits.js';
import type { AttemptKey, Result, Retry } from '../task.js';
import { codes, isRetriedByDefault } from '../verdict.js';
import type { Action, DeadLetterCause } from './action.js';
import type { Attempt, CancelTrace, WorkerState } from './attempt.js';
import { attemptId } from './attempt.js';
import type { Core } from './core.js';
import {
  type CancelCause,
  cancelledEnding,
  type Ending,
  expiredEnding,
  lostEnding,
  numbersSpentEnding,
  unreadEnding,
} from './endings.js';
import { rankOf } from './evaluator.js';
import { schedulerLimits } from './limits.js';
import { isRetried, retryBits } from './retry.js';
import { type TaskEvent, type TaskStep, taskSteps } from './states.js';

/** A task as it enters the scheduler. Its code stays in the store. Monotonic milliseconds. */
export interface NewTask {
  /** A UUID in lower case. */
  id: string;
  type: string;
  priority: number;
  /** What an evaluator of the user's own gave it when it was submitted; else `priority` says it. */
  score?: number | undefined;
  /** Fair shares are between groups. Default: the group without a name. */
  group?: string | undefined;
  createdAt: number;
  /** Not before. */
  runAtMs?: number | undefined;
  /** If it is pending then, it expires. */
  expiresAtMs?: number | undefined;
  wallMs: number;
  retry?: Retry | undefined;
}

/** The life of each task, from its submission to its end: what each event does to it. */
export class Life {
  readonly core: Core;

  constructor(core: Core) {
    this.core = core;
  }

  submit(task: NewTask): void {
    const row = this.enter(task);
    if (task.runAtMs === undefined) this.core.makeReady(row);
    else this.core.hold(row, 'runAt', task.runAtMs);
  }

  /** Makes the row of a task that is neither ready nor held yet. */
  enter(task: NewTask): number {
    const { table } = this.core;
    const row = table.add(task.id);
    const policy = this.core.retryPolicy(task.type, task.retry);
    table.rank.set(row, rankOf(task));
    table.sequence.set(row, this.core.nextSequence());
    table.group.set(row, this.core.lane(task.type).queue.join(task.group ?? '').index);
    table.wallMs.set(row, task.wallMs);
    table.expiresAtMs.set(row, task.expiresAtMs ?? Number.POSITIVE_INFINITY);
    table.maxAttempts.set(row, policy.maxAttempts);
    table.retryOn.set(row, retryBits(policy.on));
    table.retryBaseMs.set(row, policy.baseMs);
    table.retryCapMs.set(row, policy.capMs);
    return row;
  }

  /** A new attempt of the ready task begins on the worker. */
  begin(row: number, worker: WorkerState, nowMs: number): void {
    const { core } = this;
    const { table } = core;
    this.expect(row, 'dispatch', 'begin');
    let number = table.attempt.get(row) + 1;
    // It may still have one of that number which an earlier controller gave it.
    if (worker.stale.size > 0) {
      while (worker.stale.has(attemptId(table.idOf(row), number))) number++;
    }
    if (number > limits.attemptMax) {
      this.finishPending(row, numbersSpentEnding, undefined, 'attempts');
      return;
    }
    const chargedMs = core.laneOf(row).queue.take(row);
    table.tried.set(row, table.tried.get(row) + 1);
    const { taskId } = this.attach(row, number, worker, nowMs, chargedMs);
    const tried = table.tried.get(row);
    core.act({ type: 'dispatch', workerId: worker.id, taskId, attempt: number, tried });
  }

  /** From now on this is the task's current attempt. */
  attach(
    row: number,
    number: number,
    worker: WorkerState,
    nowMs: number,
    chargedMs: number,
  ): Attempt {
    const { core } = this;
    const taskId = core.table.idOf(row);
    const attempt: Attempt = {
      row,
      taskId,
      number,
      id: attemptId(taskId, number),
      worker,
      chargedMs,
      state: 'dispatched',
      dispatchedAtMs: nowMs,
      startedAtMs: undefined,
      overdueAtMs: Number.POSITIVE_INFINITY,
      overran: false,
      cancel: undefined,
    };
    core.table.attempt.set(row, number);
    core.attempts.set(row, attempt);
    core.laneOf(row).running++;
    if (core.workers.occupy(worker, attempt)) this.watch(attempt, nowMs);
    else core.wakeAt(row, core.table.expiresAtMs.get(row));
    return attempt;
  }

  /** It has a slot from now on, as far as we know: its time runs. */
  watch(attempt: Attempt, nowMs: number): void {
    const wallMs = this.core.table.wallMs.get(attempt.row);
    attempt.startedAtMs = nowMs;
    attempt.overdueAtMs = nowMs + wallMs + schedulerLimits.overdueGraceMs;
    if (attempt.worker.awayUntilMs !== undefined)
      this.core.wakeAt(attempt.row, Number.POSITIVE_INFINITY);
    else if (attempt.state !== 'stopping') this.core.wakeAt(attempt.row, attempt.overdueAtMs);
  }

  started(workerId: string, key: AttemptKey, nowMs: number): void {
    const attempt = this.current(workerId, key);
    if (!attempt || attempt.state === 'started') return;
    this.core.moveAttempt(attempt, 'started');
    this.core.workers.promote(attempt.worker, attempt);
    this.watch(attempt, nowMs);
  }

  /** A result came in. One of an attempt that is no longer current counts for nothing. */
  result(workerId: string, key: AttemptKey, result: Result, nowMs: number): void {
    const attempt = this.current(workerId, key);
    if (!attempt) {
      this.releaseStale(workerId, key, nowMs);
      this.core.act({ type: 'forget', workerId, taskId: key.taskId, attempt: key.attempt });
      return;
    }
    const { outcome, code, reason } = result;
    this.apply(attempt.row, 'result', nowMs, { outcome, code, reason, result });
  }

  /** A fault of ours kept the attempt from its worker, which knows nothing of it. */
  unread(workerId: string, key: AttemptKey, nowMs: number): void {
    const attempt = this.current(workerId, key);
    if (attempt) this.apply(attempt.row, 'result', nowMs, unreadEnding);
  }

  /** The worker handed an attempt back that had not begun. */
  returned(workerId: string, key: AttemptKey, nowMs: number): void {
    const attempt = this.current(workerId, key);
    if (attempt) this.apply(attempt.row, 'returned', nowMs);
    else this.releaseStale(workerId, key, nowMs);
  }

  /** The attempt's worker is gone, or does not have it. */
  lost(attempt: Attempt, nowMs: number): void {
    const { table } = this.core;
    const { row, worker } = attempt;
    const uncounted = table.attempt.get(row) - table.tried.get(row);
    if (worker.queued.has(attempt) && uncounted < schedulerLimits.unbegunLossesMax) {
      this.apply(row, 'returned', nowMs);
      return;
    }
    table.workerDeaths.set(row, table.workerDeaths.get(row) + 1);
    const deaths = table.workerDeaths.get(row);
    this.apply(row, 'lost', nowMs, lostEnding(worker.id, attempt.number, deaths));
  }

  /** Asks for a task's end. False when no such task is unfinished. */
  cancel(taskId: string, cause: CancelCause, nowMs: number): boolean {
    const row = this.core.table.find(taskId);
    if (row < 0) return false;
    this.askForEnd(row, { cause, requestedAtMs: nowMs }, nowMs);
    return true;
  }

  /** The first one to ask decides why. */
  askForEnd(row: number, asked: CancelTrace, nowMs: number): void {
    const attempt = this.core.attempts.get(row);
    if (attempt) attempt.cancel ??= asked;
    this.apply(row, 'cancel', nowMs, cancelledEnding(asked.cause), asked);
  }

  /** The task's timer has run out. */
  due(row: number, nowMs: number): void {
    const { core } = this;
    const attempt = core.attempts.get(row);
    if (attempt?.state === 'stopping') {
      core.wakeAt(row, Number.POSITIVE_INFINITY);
      this.drop(attempt.worker, attempt.id);
    } else if (attempt?.worker.queued.has(attempt)) {
      // Its task expires once it is back; if it has begun meanwhile, it runs.
      core.wakeAt(row, Number.POSITIVE_INFINITY);
      if (attempt.state === 'dispatched') this.recall(attempt);
    } else if (attempt) {
      attempt.overran = true;
      this.apply(row, 'overdue', nowMs);
    } else if (core.table.expiresAtMs.get(row) <= nowMs) {
      this.apply(row, 'expire', nowMs, expiredEnding(core.table.tried.get(row)));
    } else {
      this.wake(row, nowMs);
    }
  }

  /** Asks for an attempt back that has not begun, as far as we know. */
  recall(attempt: Attempt): void {
    const { worker, taskId, number } = attempt;
    this.core.moveAttempt(attempt, 'recall');
    this.core.act({ type: 'recall', workerId: worker.id, taskId, attempt: number });
  }

  /** What the pending task waited for has come. */
  wake(row: number, nowMs: number): void {
    const { core } = this;
    if (core.holdOf(row) === 'retry') {
      const atMs = core.laneOf(row).retryRate.takeMs(nowMs);
      if (atMs > nowMs) {
        core.hold(row, 'retryRate', atMs);
        return;
      }
    }
    core.makeReady(row);
  }

  /** Cuts a worker off that did not end an attempt when told to. */
  drop(worker: WorkerState, id: string): void {
    worker.dropped = true;
    const reason = `it did not end attempt ${id} when told to`;
    this.core.act({ type: 'dropWorker', workerId: worker.id, reason });
  }

  /** The attempt, if it is its task's current one and this worker has it. */
  current(workerId: string, { taskId, attempt: number }: AttemptKey): Attempt | undefined {
    const attempt = this.core.attempts.get(this.core.table.find(taskId));
    const current = attempt?.number === number && attempt.worker.id === workerId;
    return current ? attempt : undefined;
  }

  stepOf(row: number, event: TaskEvent): TaskStep {
    return taskSteps[this.core.attempts.has(row) ? 'running' : 'pending'][event];
  }

  expect(row: number, event: TaskEvent, step: TaskStep): void {
    invariant(this.stepOf(row, event) === step, `event ${event} came in the wrong state`);
  }

  /** The one place where an event meets the table. */
  apply(row: number, event: TaskEvent, nowMs: number, ending?: Ending, cancel?: CancelTrace): void {
    const attempt = this.core.attempts.get(row);
    const step = this.stepOf(row, event);
    switch (step) {
      case 'conclude':
        invariant(attempt && ending, 'an attempt ends in some way');
        this.conclude(attempt, ending, nowMs);
        break;
      case 'giveBack':
        invariant(attempt, 'a running task has an attempt');
        this.giveBack(attempt, nowMs);
        break;
      case 'finishCancelled':
      case 'finishExpired':
        invariant(ending, 'a task ends in some way');
        // Nothing of it runs: it is gone as soon as somebody asks.
        this.finishPending(row, ending, cancel && { ...cancel, goneAtMs: nowMs });
        break;
      case 'askToStop':
        invariant(attempt, 'a running task has an attempt');
        this.stop(attempt, nowMs);
        break;
      case 'ignore':
        break;
      default:
        invariant(false, `event ${event} cannot lead to ${step} here`);
    }
  }

  /** Tells the worker to end the attempt: once, and when it is there to be told. */
  stop(attempt: Attempt, nowMs: number): void {
    const { cancel, worker, taskId, number } = attempt;
    if (worker.awayUntilMs !== undefined) return;
    if (cancel) cancel.signalledAtMs ??= nowMs;
    if (attempt.state === 'stopping') return;
    this.core.moveAttempt(attempt, 'stop');
    const cause = cancel?.cause ?? 'deadline';
    this.core.act({ type: 'stop', workerId: worker.id, taskId, attempt: number, cause });
    this.core.wakeAt(attempt.row, nowMs + schedulerLimits.stopGraceMs);
  }

  conclude(attempt: Attempt, ending: Ending, nowMs: number): void {
    const { core } = this;
    const { table } = core;
    const { row, taskId, number, worker, cancel } = attempt;
    this.detach(attempt, nowMs);
    table.lastCode.set(row, ending.code === undefined ? 0 : codes.indexOf(ending.code) + 1);
    const final = this.finality(attempt, ending);
    if (final !== undefined) {
      if (cancel && ending.result) cancel.goneAtMs = nowMs;
      // A cancelled task that failed by no doing of its own got what was asked for.
      const failed = cancel !== undefined && isRetriedByDefault(ending.outcome);
      const { result } = ending;
      const end = failed ? { ...cancelledEnding(cancel.cause), result } : ending;
      const deadLetter = final === 'final' || failed ? undefined : final;
      this.finish(row, worker.id, end, deadLetter, cancel);
      return;
    }
    const policy = { baseMs: table.retryBaseMs.get(row), capMs: table.retryCapMs.get(row) };
    const delayMs = retryDelayMs(policy, Math.max(1, table.tried.get(row)), core.options.random);
    core.hold(row, 'retry', nowMs + delayMs);
    const workerDeaths = table.workerDeaths.get(row);
    const of = { workerId: worker.id, taskId, attempt: number };
    core.act({ type: 'requeue', ...of, ending, delayMs, workerDeaths });
  }

  /** Why the attempt that ended so is the task's last; undefined when there will be another. */
  finality(attempt: Attempt, { outcome }: Ending): 'final' | DeadLetterCause | undefined {
    const { table } = this.core;
    const { row, cancel } = attempt;
    if (!isRetried(outcome, table.retryOn.get(row))) return 'final';
    if (cancel) return 'final';
    const ours = isRetriedByDefault(outcome);
    if (table.workerDeaths.get(row) >= schedulerLimits.workerDeathsMax && ours) return 'quarantine';
    if (table.tried.get(row) < table.maxAttempts.get(row)) return undefined;
    return ours ? 'attempts' : 'final';
  }

  /** It had not begun: it does not count, and its task stands where it stood. */
  giveBack(attempt: Attempt, nowMs: number): void {
    const { core } = this;
    const { table } = core;
    const { row, taskId, number, worker, cancel } = attempt;
    this.detach(attempt, nowMs, 'unbegun');
    const tried = Math.max(0, table.tried.get(row) - 1);
    table.tried.set(row, tried);
    if (cancel) {
      cancel.goneAtMs = nowMs;
      this.finish(row, worker.id, cancelledEnding(cancel.cause), undefined, cancel);
      return;
    }
    core.act({ type: 'giveBack', workerId: worker.id, taskId, attempt: number, tried });
    core.makeReady(row);
  }

  /** The attempt is over: its worker does not have it, and the task is pending for the moment. */
  detach(attempt: Attempt, nowMs: number, how: 'ended' | 'unbegun' = 'ended'): void {
    const { core } = this;
    const { row, worker, chargedMs, startedAtMs } = attempt;
    const group = core.groupOf(row);
    const lane = core.lane(group.type);
    core.moveAttempt(attempt, 'end');
    core.attempts.delete(row);
    core.timers.remove(row);
    lane.running--;
    if (how === 'unbegun') lane.queue.refund(group, chargedMs);
    else lane.queue.settle(group, chargedMs, nowMs - (startedAtMs ?? nowMs));
    this.release(worker, attempt.id, nowMs);
  }

  release(worker: WorkerState, id: string, nowMs: number): void {
    const promoted = this.core.workers.release(worker, id);
    if (promoted) this.watch(promoted, nowMs);
    this.core.stirred.add(worker.type);
  }

  releaseStale(workerId: string, key: AttemptKey, nowMs: number): void {
    const worker = this.core.workers.get(workerId);
    if (worker) this.release(worker, attemptId(key.taskId, key.attempt), nowMs);
  }

  finishPending(
    row: number,
    ending: Ending,
    cancel: CancelTrace | undefined,
    deadLetter?: DeadLetterCause,
  ): void {
    const { core } = this;
    core.laneOf(row).queue.remove(row);
    core.unhold(row);
    this.finish(row, undefined, ending, deadLetter, cancel);
  }

  finish(
    row: number,
    workerId: string | undefined,
    ending: Ending,
    deadLetter: DeadLetterCause | undefined,
    cancel: CancelTrace | undefined,
  ): void {
    const { core } = this;
    const taskId = core.table.idOf(row);
    const attempt = core.table.attempt.get(row);
    const group = core.groupOf(row);
    core.timers.remove(row);
    core.table.remove(row);
    core.lane(group.type).queue.leave(group);
    const action: Extract<Action, { type: 'finish' }> = {
      type: 'finish',
      workerId,
      taskId,
      attempt,
      ending,
    };
    if (deadLetter) action.deadLetter = deadLetter;
    if (cancel) action.cancel = cancel;
    core.act(action);
  }
}
