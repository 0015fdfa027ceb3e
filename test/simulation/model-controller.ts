import { type Action, Scheduler } from '../../src/scheduler/scheduler.js';
import type { AttemptKey, Result } from '../../src/task.js';
import type { Checker } from './checker.js';
import { Link } from './link.js';
import type { ModelStore } from './model-store.js';
import type { Execution, ModelWorker, WorkerEars } from './model-worker.js';
import type { Plan } from './plan.js';
import type { Script } from './task.js';
import { must } from './violation.js';
import type { World } from './world.js';

export interface ModelControllerOptions {
  world: World;
  plan: Plan;
  store: ModelStore;
  checker: Checker;
  scripts: ReadonlyMap<string, Script>;
}

/** Silence of a worker after which it is taken for lost. */
const silenceMs = 5_000;
const reconnectGraceMs = 3_000;
/** Each turn is looked at as a whole while there are so few tasks; else one in as many. */
const lookedAtMax = 500;

/** A controller around the real scheduler: turns, batches, connections; it can die at any moment. */
export class ModelController implements WorkerEars {
  readonly #options: ModelControllerOptions;
  readonly #workers = new Map<string, ModelWorker>();
  readonly #shares: (execution: Execution, heldMs: number) => void;
  /** Types that an operator paused: the store knows. */
  readonly paused = new Set<string>();
  #scheduler: Scheduler | undefined;
  #life = 0;
  #turnAhead = false;
  #timerAtMs = Number.POSITIVE_INFINITY;
  /** Those that are cut off: what they have is not waited for. */
  readonly #dropped = new Set<string>();
  turns = 0;

  constructor(
    options: ModelControllerOptions,
    shares: (execution: Execution, heldMs: number) => void,
  ) {
    this.#options = options;
    this.#shares = shares;
  }

  get scheduler(): Scheduler | undefined {
    return this.#scheduler;
  }

  addWorker(worker: ModelWorker): void {
    this.#workers.set(worker.id, worker);
    this.#connectSoon(worker);
  }

  start(): void {
    const { world, plan, store, checker } = this.#options;
    this.#timerAtMs = Number.POSITIVE_INFINITY;
    this.#turnAhead = false;
    const scheduler = new Scheduler({ random: () => world.random.next(), groups: plan.groups });
    this.#scheduler = scheduler;
    checker.begin();
    const moment = { nowMs: world.nowMs, wallMs: world.wallMs };
    for (const row of store.unfinished()) {
      checker.restored(row);
      scheduler.restore(row, moment);
    }
    for (const type of this.paused) scheduler.pauseType(type);
    this.#stir();
    for (const worker of this.#workers.values()) this.#connectSoon(worker);
  }

  crash(): void {
    if (!this.#scheduler) return;
    const { world, store, checker } = this.#options;
    this.#life++;
    this.#scheduler = undefined;
    store.crash();
    checker.neverTaken((id) => store.rows.has(id));
    for (const worker of this.#workers.values()) this.#forgetLink(worker);
    world.after(world.random.between(50, 2_000), () => this.start());
  }

  // What clients and operators ask.

  submit(script: Script): void {
    const { world, store, checker } = this.#options;
    const scheduler = this.#scheduler;
    if (!scheduler) {
      world.after(500, () => this.submit(script));
      return;
    }
    const { nowMs, wallMs } = world;
    const { id, type, priority, group, wallMs: limitMs, retry, delayMs, expiresAfterMs } = script;
    checker.submitted(script, nowMs);
    const task = { id, type, priority, group, wallMs: limitMs, retry };
    const row = {
      ...{ ...task, createdAt: wallMs, attempt: 0, workerDeaths: 0, state: 'pending' as const },
      runAt: delayMs === undefined ? undefined : wallMs + delayMs,
      expiresAt: expiresAfterMs === undefined ? undefined : wallMs + expiresAfterMs,
    };
    store.write(
      (rows) => rows.set(id, { ...row }),
      () => {
        checker.durable(id);
        scheduler.submit({
          ...{ ...task, createdAt: nowMs },
          runAtMs: delayMs === undefined ? undefined : nowMs + delayMs,
          expiresAtMs: expiresAfterMs === undefined ? undefined : nowMs + expiresAfterMs,
        });
        this.#stir();
      },
    );
  }

  cancel(taskId: string): void {
    const { world, checker } = this.#options;
    const state = checker.tallies.get(taskId)?.state;
    if (!this.#scheduler || state === undefined || state === 'submitting') return;
    const known = this.#scheduler.cancel(taskId, 'caller', world.nowMs);
    must(known === (state !== 'finished'), 'cancel does not know an unfinished task');
    if (!known) return;
    checker.cancelAsked(taskId);
    const requestedAt = world.wallMs;
    this.#update(taskId, { cancel: { cause: 'caller', requestedAt } });
    this.#stir();
  }

  pause(type: string, forMs: number): void {
    if (!this.#scheduler || this.paused.has(type)) return;
    const { world, checker } = this.#options;
    this.paused.add(type);
    checker.pausedTypes.add(type);
    this.#scheduler.pauseType(type);
    this.#stir();
    world.after(forMs, () => {
      this.paused.delete(type);
      checker.pausedTypes.delete(type);
      this.#scheduler?.resumeType(type);
      this.#stir();
    });
  }

  drain(worker: ModelWorker): void {
    const hand = this.#options.checker.hands.get(worker.id);
    if (!this.#scheduler || !hand) return;
    this.#scheduler.drain(worker.id);
    hand.draining = true;
    this.#stir();
    this.#options.world.after(3_000, () => worker.crash());
  }

  // Connections.

  /** Both sides lose the connection; the controller notices a little later. */
  break(worker: ModelWorker): void {
    const { world } = this.#options;
    const { link } = worker;
    this.#forgetLink(worker);
    if (!link || !this.#scheduler) return;
    const life = this.#life;
    world.after(world.random.between(0, 100), () => {
      if (this.#life !== life) return;
      if (this.#options.checker.hands.has(worker.id)) {
        const graceMs = worker.remote && !this.#dropped.delete(worker.id) ? reconnectGraceMs : 0;
        this.#options.checker.disconnected(worker.id, graceMs);
        this.#scheduler?.disconnect(worker.id, world.nowMs);
        this.#stir();
      }
      this.#connectSoon(worker);
    });
  }

  hang(worker: ModelWorker, forMs: number): void {
    const { link } = worker;
    worker.hang(forMs);
    this.#options.world.after(silenceMs, () => {
      if (!worker.hung || worker.link !== link) return;
      if (worker.remote) this.break(worker);
      else worker.crash();
    });
  }

  #forgetLink(worker: ModelWorker): void {
    if (worker.link) worker.link.broken = true;
    worker.link = undefined;
  }

  #connectSoon(worker: ModelWorker): void {
    const { world, checker } = this.#options;
    const life = this.#life;
    world.after(world.random.between(1, 100), () => {
      if (this.#life !== life || !this.#scheduler || worker.link) return;
      const apart = !worker.alive || worker.hung || worker.cutUntilMs > world.nowMs;
      if (apart || checker.hands.has(worker.id)) this.#connectSoon(worker);
      else worker.accept(new Link(world));
    });
  }

  onInventory(worker: ModelWorker): void {
    const { world, checker } = this.#options;
    const { id, type, slots, prefetch, instance, remote } = worker;
    checker.connected(worker);
    this.#scheduler?.connect(
      {
        ...{ id, type, slots, prefetch, instance, running: [], ...worker.inventorySent },
        reconnectGraceMs: remote ? reconnectGraceMs : 0,
      },
      world.nowMs,
    );
    this.#stir();
  }

  onStarted(worker: ModelWorker, key: AttemptKey): void {
    this.#options.checker.heardStarted(worker.id, key);
    this.#scheduler?.started(worker.id, key, this.#options.world.nowMs);
    this.#stir();
  }

  onResult(worker: ModelWorker, key: AttemptKey, result: Result, execution: Execution): void {
    const { world, checker } = this.#options;
    checker.executions.set(result, execution);
    checker.heardEnd(worker.id, key);
    this.#scheduler?.result(worker.id, key, result, world.nowMs);
    this.#stir();
  }

  onRecalled(worker: ModelWorker, key: AttemptKey): void {
    this.#options.checker.heardEnd(worker.id, key);
    this.#scheduler?.recalled(worker.id, key, this.#options.world.nowMs);
    this.#stir();
  }

  onCrash(worker: ModelWorker): void {
    this.break(worker);
  }

  observeEnd(execution: Execution, heldMs: number): void {
    this.#shares(execution, heldMs);
  }

  observeTwice(execution: Execution): void {
    must(false, `attempt ${execution.attempt} was given twice to ${execution.worker.id}`);
  }

  // Turns.

  #stir(): void {
    if (this.#turnAhead || !this.#scheduler) return;
    this.#turnAhead = true;
    const life = this.#life;
    this.#options.world.after(0, () => {
      if (this.#life === life) this.#turn();
    });
  }

  #turn(): void {
    const scheduler = this.#scheduler;
    if (!scheduler) return;
    const { world, checker } = this.#options;
    this.#turnAhead = false;
    this.turns++;
    const actions = scheduler.take(world.nowMs);
    checker.check(actions);
    const tasks = checker.tallies.size;
    if (tasks < lookedAtMax || this.turns % tasks === 0) {
      checker.checkRest();
      this.#checkHeld(scheduler);
    }
    for (const action of actions) this.#perform(action);
    const nextMs = scheduler.nextDeadlineMs;
    if (nextMs === undefined || nextMs >= this.#timerAtMs) return;
    this.#timerAtMs = nextMs;
    const life = this.#life;
    world.after(nextMs - world.nowMs, () => {
      if (this.#life !== life || this.#timerAtMs !== nextMs) return;
      this.#timerAtMs = Number.POSITIVE_INFINITY;
      this.#stir();
    });
  }

  /** What was acknowledged and is not finished is there, in the state that it should be in. */
  #checkHeld(scheduler: Scheduler): void {
    let pending = 0;
    let running = 0;
    for (const { state, script } of this.#options.checker.tallies.values()) {
      if (state === 'pending') pending++;
      if (state === 'running') running++;
      if (state !== 'pending' && state !== 'running') continue;
      must(scheduler.stateOf(script.id) === state, `task ${script.id} should be ${state}`);
    }
    must(scheduler.pendingCount === pending, 'pending tasks were counted wrong');
    must(scheduler.runningCount === running, 'running tasks were counted wrong');
  }

  #perform(action: Action): void {
    const worker = this.#workers.get('workerId' in action ? (action.workerId ?? '') : '');
    const { world } = this.#options;
    switch (action.type) {
      case 'dispatch':
      case 'adopt': {
        const { taskId, attempt, tried, workerId } = action;
        const counts = { attempt, attemptsBefore: attempt - tried };
        const claim = { state: 'running', ...counts, worker: workerId } as const;
        this.#update(taskId, { ...claim, instance: worker?.instanceSeen, startedAt: world.wallMs });
        const script = this.#options.scripts.get(taskId);
        must(script, 'a task without a script was dispatched');
        if (action.type === 'dispatch') this.#send(worker, (to) => to.execute(script, attempt));
        break;
      }
      case 'stop':
        this.#send(worker, (to) => to.stop(action, action.cause));
        break;
      case 'recall':
        this.#send(worker, (to) => to.recall(action));
        break;
      case 'forget':
        this.#acknowledge(worker, action);
        break;
      case 'giveBack': {
        const { taskId, attempt, tried } = action;
        this.#update(taskId, {
          state: 'pending',
          attemptsBefore: attempt - tried,
          runAt: undefined,
          nextAttemptAt: undefined,
        });
        break;
      }
      case 'requeue': {
        const { taskId, delayMs, workerDeaths, ending } = action;
        const nextAttemptAt = world.wallMs + delayMs;
        this.#update(taskId, { state: 'pending', nextAttemptAt, workerDeaths }, () => {
          if (ending.result) this.#acknowledge(worker, action);
        });
        break;
      }
      case 'finish':
        this.#complete(action, worker);
        break;
      case 'dropWorker':
        this.#dropped.add(action.workerId);
        worker?.crash();
        break;
    }
  }

  #complete(action: Extract<Action, { type: 'finish' }>, worker: ModelWorker | undefined): void {
    const { store } = this.#options;
    store.write(
      (rows) => {
        const row = rows.get(action.taskId);
        must(row && !row.finished, 'an outcome was recorded twice');
        row.finished = true;
      },
      () => {
        if (action.ending.result) this.#acknowledge(worker, action);
      },
    );
  }

  #update(taskId: string, change: object, done?: () => void): void {
    this.#options.store.write((rows) => {
      const row = rows.get(taskId);
      must(row && !row.finished, 'a finished task was changed');
      Object.assign(row, change);
    }, done);
  }

  #send(worker: ModelWorker | undefined, arrive: (to: ModelWorker) => void): void {
    if (worker) worker.link?.toReceiver.send(() => arrive(worker));
  }

  #acknowledge(worker: ModelWorker | undefined, { taskId, attempt }: AttemptKey): void {
    if (worker) worker.link?.toEmitter.send(() => worker.acknowledge({ taskId, attempt }));
  }
}
