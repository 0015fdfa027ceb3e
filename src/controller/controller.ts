import type { Clock } from '../clock.js';
import { invariant } from '../invariant.js';
import type { Log } from '../log.js';
import type { Address } from '../poll/address.js';
import { Poller } from '../poll/poller.js';
import type { Timer } from '../poll/timer.js';
import type { CancelCause } from '../scheduler/endings.js';
import { type Action, Scheduler } from '../scheduler/scheduler.js';
import type { Claim, Completion, Requeue, TaskStore } from '../store/port.js';
import type { TaskSpec, TaskView } from '../task.js';
import type { Identity } from '../wire/handshake.js';
import { wireLimits } from '../wire/limits.js';
import type { MessageOf } from '../wire/messages.js';
import type { WireToken } from '../wire/token.js';
import { ClientListener } from './client-listener.js';
import { type ClientRequests, Watches } from './clients.js';
import { Fleet } from './fleet.js';
import { Flights } from './flights.js';
import { type Accepted, intake, type Refusal } from './intake.js';
import { controllerLimits } from './limits.js';
import type { WorkerManager } from './manager.js';
import { type Policy, policyFrom } from './policy.js';
import type { FromEmitter } from './worker-link.js';

export interface ControllerOptions {
  /** Where http daemons connect. */
  listen: Address;
  local: Identity;
  token: WireToken;
  store: TaskStore;
  manager: WorkerManager;
  /** What tasks of each type get and may ask for; types without one get what is built in. */
  policies: ReadonlyMap<string, Policy>;
  clock: Clock;
  log: Log;
}

interface Submitting {
  accepted: Accepted;
  stored: (view: TaskView) => void;
}

/**
 * The states controller: composes scheduler, store, workers and http daemons. Everything that comes
 * in within one turn of the event loop is decided and stored together at its end.
 */
export class Controller implements ClientRequests {
  readonly #options: ControllerOptions;
  readonly #poller = new Poller();
  readonly #scheduler = new Scheduler({ random: Math.random });
  readonly #flights = new Flights();
  readonly #watches = new Watches();
  readonly #fleet: Fleet;
  /** By type, of those that there should be workers for. */
  readonly #policies: ReadonlyMap<string, Policy>;
  readonly #timer: Timer;
  #heartbeat: NodeJS.Timeout | undefined;
  #clients: ClientListener | undefined;
  #submitting: Submitting[] = [];
  #turnAhead = false;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #draining = false;
  #onIdle: (() => void) | undefined;

  constructor(options: ControllerOptions) {
    this.#options = options;
    const { local, token, manager, log } = options;
    const policies = manager.places.map(
      ({ type }) => [type, options.policies.get(type) ?? policyFrom()] as const,
    );
    this.#policies = new Map(policies);
    this.#timer = this.#poller.timer(() => this.#due());
    this.#fleet = new Fleet(
      { poller: this.#poller, local, token, manager, log },
      {
        onUp: (name, inventory) => this.#workerUp(name, inventory),
        onDown: (name) => this.#workerDown(name),
        onMessage: (name, message) => this.#fromWorker(name, message),
      },
    );
  }

  /** @throws ScriptdError EADDRINUSE when another controller listens there. */
  start(): void {
    const { listen: address, local, token, log } = this.#options;
    const shared = { poller: this.#poller, local, token, log };
    const watches = this.#watches;
    this.#clients = new ClientListener({ ...shared, address, requests: this, watches });
    this.#heartbeat = setInterval(() => this.#beat(), wireLimits.heartbeatMs);
    this.#fleet.start();
  }

  /**
   * Refuses new tasks, and waits until all it has are finished; after `waitMs` it cancels what is
   * left.
   */
  async drain(waitMs: number): Promise<void> {
    const { log } = this.#options;
    this.#draining = true;
    const tasks = this.#flights.size;
    if (tasks === 0) return;
    log.info({ tasks }, `draining: ${tasks} tasks are not finished`);
    if (await this.#idleWithin(waitMs)) return;
    const left = [...this.#flights.ids()];
    log.warn(
      { tasks: left.length },
      `${left.length} tasks did not finish in time: cancelling them`,
    );
    for (const taskId of left) this.cancel(taskId, 'shutdown');
    if (await this.#idleWithin(controllerLimits.cancelAllMs)) return;
    log.error({ tasks: this.#flights.size }, `${this.#flights.size} tasks cannot be ended`);
  }

  /** True once no task is unfinished; false when that takes longer. */
  async #idleWithin(waitMs: number): Promise<boolean> {
    const idle = new Promise<boolean>((resolve) => {
      this.#onIdle = () => resolve(true);
      if (this.#flights.size === 0) resolve(true);
    });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), waitMs);
    });
    const result = await Promise.race([idle, late]);
    clearTimeout(timer);
    return result;
  }

  /** Tells the workers to go, and waits for them. */
  async dismissWorkers(waitMs: number): Promise<void> {
    this.#scheduler.paused = true;
    const startMs = this.#now();
    this.#options.manager.stop();
    const pids = [...this.#fleet.up()].map(({ inventory }) => inventory.pid);
    await this.#fleet.dismiss(waitMs);
    await this.#options.manager.finish(Math.max(0, waitMs - (this.#now() - startMs)), pids);
  }

  /** Lets go of everything; workers go on. */
  close(): void {
    clearInterval(this.#heartbeat);
    this.#options.manager.stop();
    this.#fleet.stop();
    this.#clients?.end();
    this.#poller.close();
  }

  // What http daemons ask (ClientRequests).

  submit(
    spec: TaskSpec,
    stored: (view: TaskView) => void,
    refused: (refusal: Refusal) => void,
  ): void {
    const overload = this.#overload();
    if (overload) {
      refused(overload);
      return;
    }
    const { clock, store } = this.#options;
    const { durability } = store;
    const times = { wallMs: clock.wallMs(), nowMs: clock.monotonicMs() };
    const accepted = intake(spec, { policies: this.#policies, durability, ...times });
    if ('code' in accepted) {
      refused(accepted);
      return;
    }
    this.#flights.add(accepted.task.id, accepted.bytes, clock.monotonicMs());
    this.#submitting.push({ accepted, stored });
    this.#stir();
  }

  read(taskId: string): Promise<TaskView | undefined> {
    return this.#options.store.readView(taskId);
  }

  isUnfinished(taskId: string): boolean {
    return this.#flights.has(taskId);
  }

  cancel(taskId: string, cause: CancelCause): void {
    this.#scheduler.cancel(taskId, cause, this.#now());
    this.#stir();
  }

  report(requestId: number): MessageOf<'report'> {
    const missing = this.#fleet.missingTypes().map((type) => `no ${type} worker is connected`);
    if (this.#draining) missing.push('the controller is draining');
    return {
      kind: 'report',
      requestId,
      ready: missing.length === 0,
      draining: this.#draining,
      missing,
      pending: this.#scheduler.pendingCount,
      running: this.#scheduler.runningCount,
      workers: [...this.#fleet.up()].map(({ place, inventory }) => ({
        id: place.name,
        type: place.type,
        slots: inventory.slots,
        busy: this.#scheduler.workers.get(place.name)?.attempts.size ?? 0,
        pid: inventory.pid,
        isolation: inventory.isolation,
      })),
    };
  }

  #overload(): Refusal | undefined {
    if (this.#draining) return { code: 'DRAINING', message: 'the controller is shutting down' };
    const { unfinishedTasksMax, unfinishedBytesMax } = controllerLimits;
    if (this.#flights.size >= unfinishedTasksMax || this.#flights.bytes >= unfinishedBytesMax) {
      const message = `${this.#flights.size} tasks are not finished yet; try again later`;
      return { code: 'OVERLOADED', message };
    }
    return undefined;
  }

  // What comes from workers.

  #workerUp(name: string, inventory: MessageOf<'inventory'>): void {
    const { type, slots, running } = inventory;
    this.#options.log.info({ worker: name, type, slots }, `worker ${name} is connected`);
    this.#scheduler.connect({ id: name, type, slots, running }, this.#now());
    this.#stir();
  }

  #workerDown(name: string): void {
    this.#scheduler.disconnect(name, this.#now());
    this.#stir();
  }

  #fromWorker(name: string, message: FromEmitter): void {
    switch (message.kind) {
      case 'draining':
        this.#scheduler.drain(name);
        break;
      case 'started':
        this.#scheduler.started(name, message);
        break;
      case 'result': {
        const { taskId, attempt, result } = message;
        this.#scheduler.result(name, { taskId, attempt }, result, this.#now());
        break;
      }
    }
    this.#stir();
  }

  // Turns.

  #now(): number {
    return this.#options.clock.monotonicMs();
  }

  /** Something happened: decide at the end of this turn. */
  #stir(): void {
    if (this.#turnAhead) return;
    this.#turnAhead = true;
    queueMicrotask(() => {
      this.#turnAhead = false;
      this.#turn();
    });
  }

  #turn(): void {
    this.#storeSubmissions();
    const nowMs = this.#now();
    const actions = this.#scheduler.take(nowMs);
    if (actions.length > 0) this.#perform(actions, nowMs);
    this.#setTimer();
  }

  #storeSubmissions(): void {
    const batch = this.#submitting;
    if (batch.length === 0) return;
    this.#submitting = [];
    const submissions = batch.map(({ accepted }) => accepted.submission);
    void this.#options.store.submit(submissions).then(() => {
      for (const { accepted, stored } of batch) {
        this.#scheduler.submit(accepted.task);
        stored(accepted.submission.view);
      }
      this.#stir();
    });
  }

  /** Carries out what one turn decided: one batch of each sort to the store. */
  #perform(actions: readonly Action[], nowMs: number): void {
    const wallMs = this.#options.clock.wallMs();
    const claims: Claim[] = [];
    const requeues: Requeue[] = [];
    const completions: { completion: Completion; workerId: string | undefined }[] = [];
    for (const action of actions) {
      switch (action.type) {
        case 'dispatch': {
          const { taskId, attempt, workerId } = action;
          const record = this.#flights.begin(taskId, attempt, workerId, nowMs, wallMs);
          claims.push({ taskId, attempt: record });
          this.#dispatch(workerId, taskId, attempt);
          break;
        }
        case 'stop': {
          const { workerId, taskId, attempt, cause } = action;
          this.#fleet.get(workerId)?.send({ kind: 'cancel', taskId, attempt, cause });
          break;
        }
        case 'forget':
          this.#acknowledge(action.workerId, action.taskId, action.attempt);
          break;
        case 'requeue': {
          const { taskId, ending } = action;
          const attempt = this.#flights.end(taskId, ending, nowMs, wallMs);
          invariant(attempt, 'a task that is requeued had an attempt');
          requeues.push({ taskId, attempt });
          this.#logRetry(action);
          // Its result, if there was one, will not be asked for again.
          if (ending.result) this.#acknowledge(action.workerId, taskId, action.attempt);
          break;
        }
        case 'finish': {
          const { taskId, ending, workerId } = action;
          const timeline = this.#flights.timeline(taskId, ending, nowMs);
          const attempt = this.#flights.end(taskId, ending, nowMs, wallMs);
          const completion = { taskId, attempt, ending, finishedAt: wallMs, timeline };
          completions.push({ completion, workerId });
          break;
        }
        case 'dropWorker':
          this.#fleet.get(action.workerId)?.drop(action.reason);
          break;
      }
    }
    const { store } = this.#options;
    if (claims.length > 0) void store.claim(claims);
    if (requeues.length > 0) void store.requeue(requeues);
    if (completions.length > 0) this.#complete(completions);
  }

  #complete(finished: readonly { completion: Completion; workerId: string | undefined }[]): void {
    const completions = finished.map(({ completion }) => completion);
    void this.#options.store.complete(completions).then((views) => {
      for (const [index, view] of views.entries()) {
        this.#flights.remove(view.id);
        const { completion, workerId } = finished[index] ?? {};
        if (workerId && completion?.ending.result) {
          this.#acknowledge(workerId, view.id, view.attempt);
        }
        this.#watches.finished(view);
      }
      if (this.#flights.size === 0) this.#onIdle?.();
    });
  }

  #dispatch(workerId: string, taskId: string, attempt: number): void {
    const { store } = this.#options;
    void Promise.all([store.readSpec(taskId), store.readView(taskId)]).then(([spec, view]) => {
      invariant(spec && view, `task ${taskId} is dispatched and not in the store`);
      const { code, args, stdin, env, files, collect, inspect } = spec;
      // A worker that is gone by now takes nothing; its loss is being told to the scheduler.
      this.#fleet.get(workerId)?.send({
        kind: 'execute',
        taskId,
        attempt,
        code,
        limits: view.limits,
        ...(view.network !== 'none' && { network: view.network }),
        ...(files && { files }),
        ...(collect && { collect }),
        ...(inspect && { inspect }),
        ...(args && { args }),
        ...(stdin && { stdin }),
        ...(env && { env }),
      });
    });
  }

  #acknowledge(workerId: string, taskId: string, attempt: number): void {
    this.#fleet.get(workerId)?.acknowledge([{ taskId, attempt }]);
  }

  #logRetry({ taskId, attempt, ending, delayMs }: Extract<Action, { type: 'requeue' }>): void {
    const { code, reason } = ending;
    const text = `attempt ${attempt} of task ${taskId} failed; next in ${Math.round(delayMs)} ms`;
    this.#options.log.warn({ task: taskId, code, reason }, text);
  }

  // Time.

  #due(): void {
    this.#timerAtMs = Number.POSITIVE_INFINITY;
    this.#scheduler.tick(this.#now());
    this.#stir();
  }

  /** One timerfd for all deadlines: set to the next of them. */
  #setTimer(): void {
    const nextMs = this.#scheduler.nextDeadlineMs;
    if (nextMs === undefined || nextMs >= this.#timerAtMs) return;
    this.#timerAtMs = nextMs;
    this.#timer.setAfter(Math.max(0, nextMs - this.#now()));
  }

  #beat(): void {
    const nowMs = performance.now();
    this.#fleet.heartbeat(nowMs);
    this.#clients?.heartbeat(nowMs);
  }
}
