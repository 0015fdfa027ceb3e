import { invariant } from '../invariant.js';
import type { AttemptKey, Result, TaskState } from '../task.js';
import { isRetriedByDefault } from '../verdict.js';
import { Deadlines } from './deadlines.js';
import { type CancelCause, cancelledEnding, type Ending, lostEnding } from './endings.js';
import { schedulerLimits } from './limits.js';
import { type Queued, ReadyQueue } from './ready-queue.js';
import { defaultRetryPolicy, type RetryPolicy, retryDelayMs } from './retry.js';
import {
  type AttemptEvent,
  type AttemptState,
  attemptSteps,
  type TaskEvent,
  taskSteps,
} from './states.js';
import { type WorkerState, Workers } from './workers.js';

/** A task as it enters the scheduler. Its code stays in the store. */
export interface NewTask {
  id: string;
  type: string;
  priority: number;
  /** Monotonic milliseconds. */
  createdAt: number;
  wallMs: number;
  maxAttempts: number;
}

/** Why a running attempt is to be stopped. */
export type StopCause = CancelCause | 'deadline' | 'stale';

/** What the controller has to do. In order. */
export type Action =
  | { type: 'dispatch'; workerId: string; taskId: string; attempt: number }
  | { type: 'stop'; workerId: string; taskId: string; attempt: number; cause: StopCause }
  /** A result that counts for nothing any more: the worker may forget it. */
  | { type: 'forget'; workerId: string; taskId: string; attempt: number }
  /** The attempt ended and the task will be tried again after `delayMs`. */
  | {
      type: 'requeue';
      workerId: string;
      taskId: string;
      attempt: number;
      ending: Ending;
      delayMs: number;
    }
  /** The task is finished; `workerId` is absent when no attempt of it had begun. */
  | {
      type: 'finish';
      workerId: string | undefined;
      taskId: string;
      attempt: number;
      ending: Ending;
    }
  /** The worker does not do what it is told: cut it off. */
  | { type: 'dropWorker'; workerId: string; reason: string };

interface Entry extends Queued {
  readonly type: string;
  readonly wallMs: number;
  readonly maxAttempts: number;
  state: TaskState;
  /** Number of the current or last attempt; 0 before the first. */
  attempt: number;
  attemptState: AttemptState;
  workerId: string | undefined;
  workerDeaths: number;
  /** Set once it is to be stopped; the first cause stays. */
  stopCause: CancelCause | 'deadline' | undefined;
}

type Due =
  | { type: 'ready'; taskId: string; attempt: number }
  | { type: 'overdue' | 'stopUnanswered'; taskId: string; attempt: number }
  /** Of an attempt that nobody wants any more: the worker should have ended it by now. */
  | { type: 'staleUnanswered'; worker: WorkerState; taskId: string; attempt: number };

export interface SchedulerOptions {
  /** Evenly distributed over [0, 1). */
  random: () => number;
  retry?: RetryPolicy;
}

/**
 * Decides what runs where and when, and what an end means. Does no I/O: time comes in with each
 * call (`nowMs`, monotonic milliseconds), decisions go out as actions, to be taken with `take`
 * after each turn. Holds only tasks that are not finished.
 */
export class Scheduler {
  readonly #tasks = new Map<string, Entry>();
  readonly #queues = new Map<string, ReadyQueue<Entry>>();
  readonly #workers = new Workers();
  readonly #deadlines = new Deadlines<Due>();
  readonly #options: SchedulerOptions;
  #sequence = 0;
  #running = 0;
  #actions: Action[] = [];
  /** Types in which a task became ready or a slot free since the last `take`. */
  readonly #stirred = new Set<string>();
  /** While set nothing is dispatched. */
  paused = false;

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  get pendingCount(): number {
    return this.#tasks.size - this.#running;
  }

  get runningCount(): number {
    return this.#running;
  }

  /** Deadlines that are kept, past ones included. */
  get deadlineCount(): number {
    return this.#deadlines.size;
  }

  get workers(): Workers {
    return this.#workers;
  }

  /** When `tick` has to be called next, monotonic milliseconds, or undefined. */
  get nextDeadlineMs(): number | undefined {
    return this.#deadlines.nextMs;
  }

  stateOf(taskId: string): TaskState | undefined {
    return this.#tasks.get(taskId)?.state;
  }

  submit(task: NewTask): void {
    invariant(!this.#tasks.has(task.id), `task ${task.id} was submitted twice`);
    const entry: Entry = {
      ...task,
      sequence: this.#sequence++,
      state: 'pending',
      attempt: 0,
      attemptState: 'ended',
      workerId: undefined,
      workerDeaths: 0,
      stopCause: undefined,
    };
    this.#tasks.set(task.id, entry);
    this.#makeReady(entry);
  }

  /** A worker's both connections stand. Attempts that it runs and nobody wants are stopped. */
  connect(
    worker: { id: string; type: string; slots: number; running: readonly AttemptKey[] },
    nowMs: number,
  ): void {
    const state = this.#workers.add(worker.id, worker.type, worker.slots);
    for (const key of worker.running) this.#stopStale(state, key, nowMs);
    this.#stirred.add(worker.type);
  }

  #stopStale(worker: WorkerState, { taskId, attempt }: AttemptKey, nowMs: number): void {
    // It holds a slot there until its result comes, whether or not that result counts.
    this.#workers.occupy(worker, attemptId(taskId, attempt));
    this.#act({ type: 'stop', workerId: worker.id, taskId, attempt, cause: 'stale' });
    const unansweredMs = nowMs + schedulerLimits.stopGraceMs;
    this.#deadlines.add(unansweredMs, { type: 'staleUnanswered', worker, taskId, attempt });
  }

  /** The worker or a connection to it is lost: so is what ran there. */
  disconnect(workerId: string, nowMs: number): void {
    const worker = this.#workers.remove(workerId);
    if (!worker) return;
    for (const id of worker.attempts) {
      const [taskId = '', attempt] = id.split('/');
      const entry = this.#current(workerId, taskId, Number(attempt));
      if (!entry) continue;
      const ending = lostEnding(workerId, entry.attempt, entry.workerDeaths + 1);
      this.#apply(entry, 'lost', nowMs, ending);
    }
  }

  /** The worker gets nothing new. */
  drain(workerId: string): void {
    const worker = this.#workers.get(workerId);
    if (worker) this.#workers.drain(worker);
  }

  started(workerId: string, key: AttemptKey): void {
    const entry = this.#current(workerId, key.taskId, key.attempt);
    if (entry) this.#moveAttempt(entry, 'started');
  }

  /** A result came in. One of an attempt that is no longer current counts for nothing. */
  result(workerId: string, key: AttemptKey, result: Result, nowMs: number): void {
    const worker = this.#workers.get(workerId);
    if (worker) this.#release(worker, key.taskId, key.attempt);
    const entry = this.#current(workerId, key.taskId, key.attempt);
    if (!entry) {
      this.#act({ type: 'forget', workerId, ...key });
      return;
    }
    const { outcome, code, reason } = result;
    this.#apply(entry, 'result', nowMs, { outcome, code, reason, result });
  }

  /** Asks for a task's end. False when no such task is unfinished. */
  cancel(taskId: string, cause: CancelCause, nowMs: number): boolean {
    const entry = this.#tasks.get(taskId);
    if (!entry) return false;
    entry.stopCause ??= cause;
    this.#apply(entry, 'cancel', nowMs, cancelledEnding(cause));
    return true;
  }

  /** Does what has become due. */
  tick(nowMs: number): void {
    for (let due = this.#deadlines.takeDue(nowMs); due; due = this.#deadlines.takeDue(nowMs)) {
      if (due.type === 'staleUnanswered') {
        const { worker, taskId, attempt } = due;
        if (this.#isHeld(due)) this.#drop(worker.id, taskId, attempt);
        continue;
      }
      const entry = this.#tasks.get(due.taskId);
      if (entry?.attempt !== due.attempt) continue;
      switch (due.type) {
        case 'ready':
          if (entry.state === 'pending') this.#makeReady(entry);
          break;
        case 'overdue':
          entry.stopCause ??= 'deadline';
          this.#apply(entry, 'overdue', nowMs, undefined);
          break;
        case 'stopUnanswered':
          if (entry.state === 'running' && entry.workerId !== undefined) {
            this.#drop(entry.workerId, due.taskId, due.attempt);
          }
          break;
      }
    }
  }

  /** True while the very worker that was told to end a stale attempt still has it. */
  #isHeld({ worker, taskId, attempt }: Extract<Due, { type: 'staleUnanswered' }>): boolean {
    const connected = this.#workers.get(worker.id) === worker;
    return connected && worker.attempts.has(attemptId(taskId, attempt));
  }

  /** True while a deadline still has a meaning. */
  #isMeant(due: Due): boolean {
    if (due.type === 'staleUnanswered') return this.#isHeld(due);
    return this.#tasks.get(due.taskId)?.attempt === due.attempt;
  }

  #drop(workerId: string, taskId: string, attempt: number): void {
    const reason = `it did not end attempt ${attempt} of task ${taskId} when told to`;
    this.#act({ type: 'dropWorker', workerId, reason });
  }

  /** Fills free slots, and hands out everything that was decided since the last call. */
  take(nowMs: number): Action[] {
    if (!this.paused) {
      for (const type of this.#stirred) this.#fill(type, nowMs);
      this.#stirred.clear();
    }
    const actions = this.#actions;
    this.#actions = [];
    return actions;
  }

  #fill(type: string, nowMs: number): void {
    const queue = this.#queues.get(type);
    while (queue && queue.size > 0) {
      const worker = this.#workers.withFreeSlot(type);
      if (!worker) return;
      const entry = queue.take();
      invariant(entry, 'a queue that is not empty has a first task');
      this.#begin(entry, worker, nowMs);
    }
  }

  #begin(entry: Entry, worker: WorkerState, nowMs: number): void {
    invariant(taskSteps[entry.state].dispatch === 'begin', `a ${entry.state} task was dispatched`);
    entry.state = 'running';
    entry.attempt++;
    entry.attemptState = 'dispatched';
    entry.workerId = worker.id;
    this.#running++;
    this.#workers.occupy(worker, attemptId(entry.id, entry.attempt));
    const { id: taskId, attempt } = entry;
    if (this.#deadlines.size > 1024 + 4 * this.#tasks.size) {
      // Most are of attempts that ended long before they were due.
      this.#deadlines.compact((due) => this.#isMeant(due));
    }
    const overdueMs = nowMs + entry.wallMs + schedulerLimits.overdueGraceMs;
    this.#deadlines.add(overdueMs, { type: 'overdue', taskId, attempt });
    this.#act({ type: 'dispatch', workerId: worker.id, taskId, attempt });
  }

  /** The one place where an event meets the table. */
  #apply(entry: Entry, event: TaskEvent, nowMs: number, ending: Ending | undefined): void {
    const step = taskSteps[entry.state][event];
    switch (step) {
      case 'conclude':
        invariant(ending, 'an attempt ends in some way');
        this.#conclude(entry, event, nowMs, ending);
        break;
      case 'finishCancelled':
        invariant(ending, 'a cancelled task ends in some way');
        this.#queues.get(entry.type)?.remove(entry.id);
        this.#finish(entry, ending);
        break;
      case 'askToStop':
        this.#stop(entry, nowMs);
        break;
      case 'ignore':
        break;
      default:
        invariant(false, `event ${event} came to a ${entry.state} task`);
    }
  }

  #stop(entry: Entry, nowMs: number): void {
    const { id: taskId, attempt, workerId, stopCause } = entry;
    invariant(workerId && stopCause, 'a running task has a worker, a stopped one a cause');
    if (entry.attemptState === 'stopping') return;
    this.#moveAttempt(entry, 'stop');
    this.#act({ type: 'stop', workerId, taskId, attempt, cause: stopCause });
    const unansweredMs = nowMs + schedulerLimits.stopGraceMs;
    this.#deadlines.add(unansweredMs, { type: 'stopUnanswered', taskId, attempt });
  }

  #conclude(entry: Entry, event: TaskEvent, nowMs: number, ending: Ending): void {
    this.#moveAttempt(entry, 'end');
    if (event === 'lost') entry.workerDeaths++;
    if (this.#isFinal(entry, ending)) {
      // A cancelled task that failed by no doing of its own got what was asked for.
      const cancelled = isRetriedByDefault(ending.outcome) ? cancelCauseOf(entry) : undefined;
      const { result } = ending;
      this.#finish(entry, cancelled ? { ...cancelledEnding(cancelled), result } : ending);
      return;
    }
    const { id: taskId, attempt, workerId } = entry;
    invariant(workerId, 'an attempt that ended had a worker');
    const policy = this.#options.retry ?? defaultRetryPolicy;
    const delayMs = retryDelayMs(policy, attempt, this.#options.random);
    entry.state = 'pending';
    entry.stopCause = undefined;
    entry.workerId = undefined;
    this.#running--;
    this.#deadlines.add(nowMs + delayMs, { type: 'ready', taskId, attempt });
    this.#act({ type: 'requeue', workerId, taskId, attempt, ending, delayMs });
  }

  #isFinal(entry: Entry, ending: Ending): boolean {
    if (!isRetriedByDefault(ending.outcome)) return true;
    if (cancelCauseOf(entry)) return true;
    if (entry.workerDeaths >= schedulerLimits.workerDeathsMax) return true;
    return entry.attempt >= entry.maxAttempts;
  }

  #finish(entry: Entry, ending: Ending): void {
    const { id: taskId, attempt, workerId } = entry;
    if (entry.state === 'running') this.#running--;
    entry.state = 'finished';
    this.#tasks.delete(taskId);
    this.#act({ type: 'finish', workerId, taskId, attempt, ending });
  }

  #moveAttempt(entry: Entry, event: AttemptEvent): void {
    const next = attemptSteps[entry.attemptState][event];
    if (next !== 'stay') entry.attemptState = next;
  }

  #makeReady(entry: Entry): void {
    let queue = this.#queues.get(entry.type);
    if (!queue) {
      queue = new ReadyQueue<Entry>();
      this.#queues.set(entry.type, queue);
    }
    queue.add(entry);
    this.#stirred.add(entry.type);
  }

  #release(worker: WorkerState, taskId: string, attempt: number): void {
    this.#workers.release(worker, attemptId(taskId, attempt));
    this.#stirred.add(worker.type);
  }

  /** The task, if this attempt of it is the current one and runs on this worker. */
  #current(workerId: string, taskId: string, attempt: number): Entry | undefined {
    const entry = this.#tasks.get(taskId);
    const current =
      entry?.state === 'running' && entry.attempt === attempt && entry.workerId === workerId;
    return current ? entry : undefined;
  }

  #act(action: Action): void {
    this.#actions.push(action);
  }
}

function attemptId(taskId: string, attempt: number): string {
  return `${taskId}/${attempt}`;
}

/** Why the task is cancelled, if it is; one that is stopped for its deadline is not. */
function cancelCauseOf({ stopCause }: Entry): CancelCause | undefined {
  return stopCause === 'deadline' ? undefined : stopCause;
}
