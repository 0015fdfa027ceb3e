import { isRetried, retryBits } from '../../src/scheduler/retry.js';
import type { Action, RestoredTask } from '../../src/scheduler/scheduler.js';
import type { AttemptKey, Result } from '../../src/task.js';
import { isRetriedByDefault, type Outcome } from '../../src/verdict.js';
import type { Execution, ModelWorker } from './model-worker.js';
import { checkRest, isReady } from './rest.js';
import { type Hand, roundingMs, type Tally } from './tally.js';
import type { Script } from './task.js';
import { must } from './violation.js';
import type { World } from './world.js';

/** The numbers that the promises were made with: a changed limit must not change the check. */
const promised = {
  workerDeathsMax: 3,
  overdueGraceMs: 3_000,
  settleMs: 500,
  retryCapMs: 30_000,
  retryBurst: 1_000,
  retriesPerSecond: 200,
};

/** Watches what a scheduler decides, and says when it may not. Knows nothing of how it decides. */
export class Checker {
  readonly #world: World;
  /** Tasks whose submission was acknowledged, or is known to be durable. */
  readonly tallies = new Map<string, Tally>();
  readonly hands = new Map<string, Hand>();
  readonly pausedTypes = new Set<string>();
  readonly executions = new WeakMap<Result, Execution>();
  #openMs = 0;
  /** Workers that came in this turn. */
  readonly #arrived = new Set<string>();
  /** Attempts that ended in this turn, by worker. */
  readonly #ended = new Set<string>();
  /** Until when workers that are away are waited for. */
  readonly #awaited = new Map<string, number>();
  #submitted = 0;
  readonly #retries = new Map<string, { sinceMs: number; count: number }>();
  readonly outcomes = new Map<Outcome, number>();

  constructor(world: World) {
    this.#world = world;
  }

  get unfinished(): Tally[] {
    return [...this.tallies.values()].filter(({ state }) => state !== 'finished');
  }

  // What happens to the controller.

  begin(): void {
    this.hands.clear();
    this.#awaited.clear();
    this.#retries.clear();
    this.#openMs = this.#world.nowMs;
  }

  submitted(script: Script, createdAtMs: number): void {
    must(!this.tallies.has(script.id), 'a task was submitted twice');
    const { delayMs, expiresAfterMs } = script;
    this.tallies.set(script.id, {
      script,
      index: this.#submitted++,
      createdAtMs,
      restored: false,
      state: 'submitting',
      attempt: 0,
      tried: 0,
      deaths: 0,
      workerId: undefined,
      dispatchedAtMs: 0,
      startedHeardAtMs: undefined,
      readyAtMs: delayMs === undefined ? Number.NEGATIVE_INFINITY : createdAtMs + delayMs,
      expiresAtMs: createdAtMs + (expiresAfterMs ?? Number.POSITIVE_INFINITY),
      retried: false,
      retryDue: false,
      cancelAskedAtMs: undefined,
      stopped: false,
      recalled: false,
    });
  }

  durable(taskId: string): void {
    const tally = this.tallies.get(taskId);
    must(tally?.state === 'submitting', 'a task became durable twice');
    tally.state = 'pending';
  }

  /** The controller died before these were durable: nobody was told that they were taken. */
  neverTaken(isKept: (taskId: string) => boolean): void {
    for (const [id, { state }] of this.tallies) {
      if (state === 'submitting' && !isKept(id)) this.tallies.delete(id);
    }
  }

  restored(task: RestoredTask): void {
    const tally = this.tallies.get(task.id);
    must(tally, 'a task was restored that was never submitted');
    const { nowMs, wallMs } = this.#world;
    const at = (wallAt: number | undefined, otherwise: number) =>
      wallAt === undefined ? otherwise : nowMs + wallAt - wallMs;
    const { attempt, attemptsBefore = 0, workerDeaths: deaths, state } = task;
    const tried = attempt - attemptsBefore;
    Object.assign(tally, {
      ...{ restored: true, state, attempt, tried, deaths },
      workerId: state === 'running' ? task.worker : undefined,
      // Whatever the wall clock says, a retry waits no longer than its policy allows.
      readyAtMs:
        task.nextAttemptAt === undefined
          ? at(task.runAt, Number.NEGATIVE_INFINITY)
          : Math.min(at(task.nextAttemptAt, 0), nowMs + (task.retry?.capMs ?? promised.retryCapMs)),
      expiresAtMs: at(task.expiresAt, Number.POSITIVE_INFINITY),
      retried: tally.retried || attempt > 0,
      retryDue: false,
      startedHeardAtMs: undefined,
      stopped: false,
      recalled: false,
      dispatchedAtMs: Number.NEGATIVE_INFINITY,
      cancelAskedAtMs: task.cancel ? at(task.cancel.requestedAt, nowMs) : undefined,
    });
  }

  connected(worker: ModelWorker): void {
    const { id, type, slots, prefetch } = worker;
    const running = worker.inventorySent?.running ?? [];
    const unclaimed = new Set(running.map(({ taskId, attempt }) => `${taskId}/${attempt}`));
    const none = { draining: false, adopted: false, load: new Set<string>() };
    this.hands.set(id, { id, type, slots, prefetch, unclaimed, ...none });
    this.#awaited.delete(id);
    this.#arrived.add(id);
  }

  /** @param graceMs for so long, what it has is not lost */
  disconnected(workerId: string, graceMs: number): void {
    this.hands.delete(workerId);
    this.#awaited.set(workerId, this.#world.nowMs + graceMs);
  }

  heardStarted(workerId: string, { taskId, attempt }: AttemptKey): void {
    const tally = this.tallies.get(taskId);
    if (tally?.attempt !== attempt || tally.workerId !== workerId) return;
    tally.startedHeardAtMs ??= this.#world.nowMs;
  }

  /** A worker does not have the attempt any more. */
  heardEnd(workerId: string, { taskId, attempt }: AttemptKey): void {
    const hand = this.hands.get(workerId);
    hand?.load.delete(`${taskId}/${attempt}`);
    this.#ended.add(`${workerId} ${taskId}/${attempt}`);
    hand?.unclaimed.delete(`${taskId}/${attempt}`);
  }

  cancelAsked(taskId: string): void {
    const tally = this.tallies.get(taskId);
    if (tally && tally.state !== 'finished') tally.cancelAskedAtMs ??= this.#world.nowMs;
  }

  // What the scheduler decides.

  check(actions: readonly Action[]): void {
    for (const action of actions) {
      if (action.type === 'dropWorker') continue;
      if (action.type === 'forget') this.#forget(action);
      else if (action.type === 'stop' && action.cause === 'stale') this.#stopStale(action);
      else this.#step(action, this.#known(action));
    }
    for (const id of this.#arrived) {
      const unclaimed = this.hands.get(id)?.unclaimed ?? new Set();
      must(unclaimed.size === 0, 'a worker goes on with what nobody wants');
    }
    this.#arrived.clear();
    this.#ended.clear();
  }

  #step(action: Exclude<Action, { type: 'dropWorker' | 'forget' }>, tally: Tally): void {
    switch (action.type) {
      case 'dispatch':
        this.#dispatch(action, tally);
        break;
      case 'adopt':
        this.#adopt(action, tally);
        break;
      case 'stop':
        this.#stop(action, tally);
        break;
      case 'recall':
        this.#isCurrent(action, tally);
        must(tally.startedHeardAtMs === undefined, 'what has begun was recalled');
        must(!tally.recalled, 'an attempt was recalled twice');
        tally.recalled = true;
        break;
      case 'giveBack':
        this.#isCurrent(action, tally);
        tally.state = 'pending';
        tally.tried--;
        tally.readyAtMs = Number.NEGATIVE_INFINITY;
        must(action.tried === tally.tried, 'attempts that count were counted wrong');
        this.#off(action, tally);
        break;
      case 'requeue':
        this.#requeue(action, tally);
        break;
      case 'finish':
        this.#finish(action, tally);
        break;
    }
  }

  #known({ taskId }: { taskId: string }): Tally {
    const tally = this.tallies.get(taskId);
    must(tally, `task ${taskId} is not known`);
    must(tally.state !== 'finished', `task ${taskId} was finished already`);
    return tally;
  }

  #dispatch(action: Extract<Action, { type: 'dispatch' }>, tally: Tally): void {
    const { nowMs } = this.#world;
    const { script } = tally;
    const hand = this.hands.get(action.workerId);
    must(tally.state === 'pending', 'a task was dispatched that is not pending');
    must(hand && hand.type === script.type, 'a task went to a worker that cannot take it');
    must(!hand.draining, 'a draining worker got a task');
    must(hand.load.size < hand.slots + hand.prefetch, 'a worker got more than it takes');
    must(!this.pausedTypes.has(script.type), 'a paused type was dispatched');
    must(nowMs >= tally.readyAtMs - roundingMs, 'a task ran before its time');
    must(nowMs < tally.expiresAtMs + roundingMs, 'a task ran after its time to live');
    must(nowMs >= this.#openMs + (tally.restored ? promised.settleMs : 0), 'too early');
    must(action.attempt > tally.attempt, 'the number of an attempt was used again');
    must(tally.cancelAskedAtMs === undefined, 'a cancelled task was dispatched');
    tally.tried++;
    must(tally.tried <= script.maxAttempts, 'more attempts than are allowed');
    must(action.tried === tally.tried, 'attempts that count were counted wrong');
    this.#inOrder(tally);
    if (tally.retryDue) this.#countRetry(script.type);
    tally.retryDue = false;
    this.#on(action, tally);
    tally.dispatchedAtMs = nowMs;
    tally.startedHeardAtMs = undefined;
  }

  #adopt(action: Extract<Action, { type: 'adopt' }>, tally: Tally): void {
    must(action.attempt >= tally.attempt, 'an old attempt was adopted');
    if (tally.state === 'pending') must(action.attempt > tally.attempt, 'an end was taken back');
    if (action.attempt > tally.attempt) {
      tally.tried = Math.min(tally.tried + 1, tally.script.maxAttempts);
    } else {
      must(tally.workerId === action.workerId, 'an attempt changed its worker');
    }
    this.#on(action, tally);
    tally.dispatchedAtMs = Number.NEGATIVE_INFINITY;
    const hand = this.hands.get(action.workerId);
    if (hand) hand.adopted = true;
  }

  #stop(action: Extract<Action, { type: 'stop' }>, tally: Tally): void {
    this.#isCurrent(action, tally);
    must(!tally.stopped, 'an attempt was told to stop twice');
    tally.stopped = true;
    if (action.cause !== 'deadline') {
      must(tally.cancelAskedAtMs !== undefined, 'nobody asked for the end of the task');
      return;
    }
    const sinceMs = tally.startedHeardAtMs ?? tally.dispatchedAtMs;
    const leastMs = tally.script.wallMs + promised.overdueGraceMs;
    must(
      this.#world.nowMs - sinceMs >= leastMs - roundingMs,
      'an attempt was stopped before its time',
    );
  }

  #requeue(action: Extract<Action, { type: 'requeue' }>, tally: Tally): void {
    const { outcome, code, result } = action.ending;
    const { script } = tally;
    this.#isCurrent(action, tally);
    if (result) this.#isOf(result, tally);
    if (code === 'WORKER_LOST') this.#lost(action.workerId, tally);
    must(isRetried(outcome, retryBits(script.retry?.on ?? [])), `${outcome} was tried again`);
    must(tally.tried < script.maxAttempts, 'a task without attempts left was tried again');
    const quarantined = isRetriedByDefault(outcome) && tally.deaths >= promised.workerDeathsMax;
    must(!quarantined, 'a task that costs workers was tried again');
    must(tally.cancelAskedAtMs === undefined, 'a cancelled task was tried again');
    tally.state = 'pending';
    tally.retried = true;
    tally.retryDue = true;
    tally.readyAtMs = this.#world.nowMs + action.delayMs;
    this.#off(action, tally);
    const { type } = script;
    if (!this.#retries.has(type)) {
      this.#retries.set(type, { sinceMs: this.#world.nowMs, count: 0 });
    }
  }

  #finish(action: Extract<Action, { type: 'finish' }>, tally: Tally): void {
    const { ending, workerId, cancel, deadLetter } = action;
    const { outcome, code, result } = ending;
    const { script } = tally;
    if (workerId === undefined) must(tally.state === 'pending', 'a running task just ended');
    else this.#isCurrent({ ...action, workerId }, tally);
    if (result) this.#isOf(result, tally);
    if (code === 'WORKER_LOST') this.#lost(workerId ?? '', tally);
    if (outcome === 'cancelled' && !result && workerId !== undefined) this.#gone(workerId);
    const asked = tally.cancelAskedAtMs !== undefined;
    must(asked === (cancel !== undefined), 'the record of a cancel is not what was asked');
    if (cancel?.signalledAtMs !== undefined) {
      must(cancel.signalledAtMs >= cancel.requestedAtMs, 'told before it was asked');
    }
    if (outcome === 'cancelled' && !result)
      must(asked, 'a task was cancelled that nobody cancelled');
    if (outcome === 'expired') {
      must(tally.state === 'pending', 'a running task expired');
      must(this.#world.nowMs >= tally.expiresAtMs - roundingMs, 'a task expired before its time');
    } else if (!asked && outcome !== 'cancelled') {
      const ours = isRetriedByDefault(outcome);
      const dying = ours && tally.deaths >= promised.workerDeathsMax;
      const retried = isRetried(outcome, retryBits(script.retry?.on ?? []));
      must(!retried || dying || tally.tried >= script.maxAttempts, 'a task was given up too early');
      must(ours === (deadLetter !== undefined), 'a dead letter is not told as one, or another is');
    }
    tally.state = 'finished';
    this.#off({ ...action, workerId: workerId ?? '' }, tally);
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
  }

  #lost(workerId: string, tally: Tally): void {
    tally.deaths++;
    this.#gone(workerId);
  }

  /** The worker was waited for as long as was promised. */
  #gone(workerId: string): void {
    const untilMs = this.#awaited.get(workerId) ?? Number.NEGATIVE_INFINITY;
    must(this.#world.nowMs >= untilMs - roundingMs, 'a worker was given up too early');
  }

  #forget({ workerId, taskId, attempt }: Extract<Action, { type: 'forget' }>): void {
    const tally = this.tallies.get(taskId);
    const current =
      tally?.state === 'running' && tally.attempt === attempt && tally.workerId === workerId;
    must(!current, 'a result that counts was thrown away');
  }

  #stopStale({ workerId, taskId, attempt }: Extract<Action, { type: 'stop' }>): void {
    this.#forget({ type: 'forget', workerId, taskId, attempt });
    const hand = this.hands.get(workerId);
    // It may have ended in the very turn in which its worker came.
    const ended = this.#ended.has(`${workerId} ${taskId}/${attempt}`);
    if (!ended) hand?.load.add(`${taskId}/${attempt}`);
    hand?.unclaimed.delete(`${taskId}/${attempt}`);
  }

  #isCurrent(key: { workerId: string; attempt: number }, tally: Tally): void {
    const current =
      tally.state === 'running' && tally.attempt === key.attempt && tally.workerId === key.workerId;
    must(current, 'something became of an attempt that is not current');
  }

  /** The result is the one that the current attempt brought, on the worker that has it. */
  #isOf(result: Result, tally: Tally): void {
    const execution = this.executions.get(result);
    must(execution, 'a result came from nowhere');
    const { script, attempt, worker } = execution;
    must(script === tally.script && attempt === tally.attempt, 'a stale result was recorded');
    must(worker.id === tally.workerId, 'a result of another worker was recorded');
  }

  #on({ workerId, attempt }: { workerId: string; attempt: number }, tally: Tally): void {
    tally.state = 'running';
    tally.attempt = attempt;
    tally.workerId = workerId;
    tally.stopped = false;
    tally.recalled = false;
    const hand = this.hands.get(workerId);
    hand?.load.add(`${tally.script.id}/${attempt}`);
    hand?.unclaimed.delete(`${tally.script.id}/${attempt}`);
  }

  #off({ workerId, attempt }: { workerId: string; attempt: number }, tally: Tally): void {
    tally.workerId = undefined;
    this.hands.get(workerId)?.load.delete(`${tally.script.id}/${attempt}`);
  }

  /** After a turn: nothing that could go on has been left lying. */
  checkRest(): void {
    const { nowMs } = this.#world;
    if (nowMs < this.#openMs + promised.settleMs) return;
    checkRest(this.tallies, this.hands, this.pausedTypes, nowMs);
  }

  #countRetry(type: string): void {
    const retries = this.#retries.get(type);
    if (!retries) return;
    retries.count++;
    const seconds = (this.#world.nowMs - retries.sinceMs) / 1000;
    const most = promised.retryBurst + promised.retriesPerSecond * seconds + 1;
    must(retries.count <= most, 'more was tried again than the rate allows');
  }

  /** No task of its group goes before one of a higher score that could have gone. */
  #inOrder(tally: Tally): void {
    // Looking costs as much as there are tasks.
    if (!this.#world.random.chance(200 / this.tallies.size)) return;
    for (const other of this.tallies.values()) {
      if (other === tally || !isReady(other, this.#world.nowMs)) continue;
      const { script } = tally;
      if (other.script.group !== script.group || other.script.type !== script.type) continue;
      const ahead =
        other.script.priority === script.priority
          ? other.index < tally.index
          : !other.restored && !tally.restored && rank(other) < rank(tally);
      must(!ahead, 'a task went before one of a higher score');
    }
  }
}

/** From the promise: a step of priority is worth a minute of waiting. */
function rank({ createdAtMs, script }: Tally): number {
  return createdAtMs - script.priority * 60_000;
}
