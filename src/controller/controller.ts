import type { Clock } from '../clock.js';
import { ScriptdError } from '../errors.js';
import type { Log } from '../log.js';
import type { Address } from '../poll/address.js';
import { Poller } from '../poll/poller.js';
import type { Timer } from '../poll/timer.js';
import type { ScheduleSpec } from '../schedule.js';
import { Admission } from '../scheduler/admission.js';
import type { CancelCause } from '../scheduler/endings.js';
import type { Evaluator } from '../scheduler/own-evaluator.js';
import { Scheduler } from '../scheduler/scheduler.js';
import type { IndexRecord, TaskQuery, TaskStore } from '../store/port.js';
import type { Retry, TaskSpec, TaskView } from '../task.js';
import type { Identity } from '../wire/handshake.js';
import { wireLimits } from '../wire/limits.js';
import type { MessageOf, QueueReport } from '../wire/messages.js';
import type { WireToken } from '../wire/token.js';
import { ClientListener } from './client-listener.js';
import type { ClientRequests } from './client-requests.js';
import { Watches } from './clients.js';
import { Fleet } from './fleet.js';
import { Flights } from './flights.js';
import { FreshTasks } from './fresh-tasks.js';
import { Ledger } from './ledger.js';
import { controllerLimits } from './limits.js';
import type { WorkerManager } from './manager.js';
import { Pauses } from './pauses.js';
import { Performer } from './performer.js';
import type { Policy } from './policy.js';
import { mayPass, type Refusal, unknownTask } from './refusal.js';
import { type DueRun, Schedules } from './schedules.js';
import { Submissions } from './submissions.js';
import type { FromEmitter } from './worker-link.js';

export interface ControllerOptions {
  /** Where http daemons connect. */
  listen: Address;
  local: Identity;
  token: WireToken;
  store: TaskStore;
  manager: WorkerManager;
  /** What each type gives and allows. One for each type that the manager has workers for. */
  policies: ReadonlyMap<string, Policy>;
  evaluator: Evaluator;
  /** How tasks of a type are tried again that do not ask. */
  retry?: ReadonlyMap<string, Retry>;
  /** Weights of groups; others have 1. */
  groups?: ReadonlyMap<string, number>;
  clock: Clock;
  log: Log;
}

/**
 * The states controller: composes scheduler, store, workers and http daemons. Everything that comes
 * in within one turn of the event loop is decided and stored together at its end.
 */
export class Controller implements ClientRequests {
  readonly #options: ControllerOptions;
  readonly #poller = new Poller();
  readonly #scheduler: Scheduler;
  readonly #flights = new Flights();
  readonly #watches = new Watches();
  readonly #admission: Admission;
  readonly #ledger: Ledger;
  readonly #submissions: Submissions;
  readonly #performer: Performer;
  readonly #pauses: Pauses;
  readonly #schedules: Schedules;
  readonly #fleet: Fleet;
  readonly #timer: Timer;
  #heartbeat: NodeJS.Timeout | undefined;
  #clients: ClientListener | undefined;
  #turnAhead = false;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #onIdle: (() => void) | undefined;

  constructor(options: ControllerOptions) {
    this.#options = options;
    const { local, token, manager, policies, evaluator, store, clock, log } = options;
    const { retry = new Map(), groups = new Map() } = options;
    this.#scheduler = new Scheduler({ random: Math.random, retry, groups });
    const { unfinishedTasksMax, unfinishedBytesMax } = controllerLimits;
    const { groupTasksMax, groupBytesMax } = controllerLimits;
    this.#admission = new Admission({
      all: { tasks: unfinishedTasksMax, bytes: unfinishedBytesMax },
      perGroup: { tasks: groupTasksMax, bytes: groupBytesMax },
    });
    this.#ledger = new Ledger(store, log);
    this.#pauses = new Pauses(store);
    this.#schedules = new Schedules(store);
    this.#timer = this.#poller.timer(() => this.#due());
    this.#fleet = new Fleet(
      { poller: this.#poller, local, token, manager, log },
      {
        onUp: (name, inventory, instance) => this.#workerUp(name, inventory, instance),
        onDown: (name) => this.#workerDown(name),
        onMessage: (name, message) => this.#fromWorker(name, message),
      },
    );
    const fresh = new FreshTasks();
    const shared = { store, flights: this.#flights, fresh, admission: this.#admission, clock, log };
    this.#submissions = new Submissions({
      ...{ ...shared, policies, evaluator },
      onStored: (task) => {
        this.#scheduler.submit(task);
        this.#stir();
      },
    });
    this.#performer = new Performer({
      ...{ ...shared, fleet: this.#fleet, ledger: this.#ledger, watches: this.#watches },
      onIdle: () => this.#onIdle?.(),
    });
  }

  /**
   * Takes back what an earlier controller left unfinished, and then lets in http daemons and connects
   * to the workers.
   *
   * @throws ScriptdError EADDRINUSE when another controller listens there; STORE_CORRUPT
   */
  async start(): Promise<void> {
    const { listen: address, local, token, log } = this.#options;
    const tasks = await this.#restore();
    if (tasks > 0) log.info({ tasks }, `took back ${tasks} tasks that were not finished`);
    for (const type of await this.#pauses.read()) this.#scheduler.pauseType(type);
    await this.#schedules.read();
    const shared = { poller: this.#poller, local, token, log };
    const watches = this.#watches;
    this.#clients = new ClientListener({ ...shared, address, requests: this, watches });
    this.#heartbeat = setInterval(() => this.#beat(), wireLimits.heartbeatMs);
    this.#fleet.start();
    this.#stir();
  }

  async #restore(): Promise<number> {
    const { store, clock } = this.#options;
    let tasks = 0;
    for await (const records of store.unfinished()) {
      const moment = { nowMs: this.#now(), wallMs: clock.wallMs() };
      for (const record of records) {
        this.#scheduler.restore(record, moment);
        this.#resume(record);
      }
      tasks += records.length;
    }
    return tasks;
  }

  #resume({ id, bytes, group, state, attempt, worker, startedAt }: IndexRecord): void {
    this.#admission.add({ tasks: 1, bytes, ...(group !== undefined && { group }) });
    this.#flights.add(id, { bytes, group }, this.#now());
    if (state === 'running' && worker !== undefined && startedAt !== undefined) {
      this.#flights.resume(id, { attempt, worker, startedAt }, this.#now());
    }
  }

  /**
   * Refuses new tasks, and waits until what runs is finished; after `waitMs` it goes on all the same.
   * With a store that outlives it, what is pending stays there for the next controller.
   */
  async drain(waitMs: number): Promise<void> {
    const { log, store } = this.#options;
    this.#submissions.closed = { code: 'DRAINING', message: 'the controller is shutting down' };
    const lasting = store.durability !== 'memory';
    if (lasting) this.#scheduler.halt();
    this.#stir();
    const left = () => (lasting ? this.#scheduler.runningCount : this.#flights.size);
    if (left() === 0) return;
    log.info({ tasks: left() }, `draining: ${left()} tasks are not finished`);
    if (await this.#until(() => left() === 0, waitMs)) return;
    if (lasting) {
      log.warn(`${left()} tasks did not finish in time: they are tried again later`);
      return;
    }
    const unfinished = [...this.#flights.ids()];
    log.warn(`${unfinished.length} tasks did not finish in time: cancelling them`);
    for (const taskId of unfinished) this.cancel(taskId, 'shutdown');
    if (await this.#until(() => left() === 0, controllerLimits.cancelAllMs)) return;
    log.error({ tasks: left() }, `${left()} tasks cannot be ended`);
  }

  /** True once it holds; false when that takes longer. Looked at after each turn. */
  async #until(holds: () => boolean, waitMs: number): Promise<boolean> {
    const reached = new Promise<boolean>((resolve) => {
      this.#onIdle = () => {
        if (holds()) resolve(true);
      };
      this.#onIdle();
    });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), waitMs);
    });
    const result = await Promise.race([reached, late]);
    clearTimeout(timer);
    return result;
  }

  /** Tells the workers to go, and waits for them. */
  async dismissWorkers(waitMs: number): Promise<void> {
    this.#scheduler.halt();
    const startMs = this.#now();
    this.#options.manager.stop();
    const pids = [...this.#fleet.up()].map(({ inventory }) => inventory.pid);
    await this.#fleet.dismiss(waitMs);
    await this.#options.manager.finish(Math.max(0, waitMs - (this.#now() - startMs)), pids);
  }

  /** Lets go of everything but the store; workers go on. */
  close(): void {
    clearInterval(this.#heartbeat);
    this.#options.manager.stop();
    this.#fleet.stop();
    this.#clients?.end();
    this.#ledger.close();
    this.#poller.close();
  }

  // What http daemons ask (ClientRequests).

  submit(
    spec: TaskSpec,
    stored: (view: TaskView, replayed: boolean) => void,
    refused: (refusal: Refusal) => void,
  ): void {
    this.#submissions.submit(spec, stored, refused);
    this.#stir();
  }

  read(taskId: string, options?: { bulk: boolean }): Promise<TaskView | undefined> {
    return this.#options.store.readView(taskId, options);
  }

  query(query: TaskQuery) {
    return this.#options.store.query(query);
  }

  isUnfinished(taskId: string): boolean {
    return this.#flights.has(taskId);
  }

  cancel(taskId: string, cause: CancelCause): void {
    if (this.#scheduler.cancel(taskId, cause, this.#now())) {
      const cancel = { cause, requestedAt: this.#options.clock.wallMs() };
      this.#ledger.touch([{ taskId, changes: { cancel } }]);
    }
    this.#stir();
  }

  explain(taskId: string) {
    return this.#scheduler.explain(taskId, this.#now());
  }

  async retry(taskId: string): Promise<TaskView> {
    const { store } = this.#options;
    const [spec, view] = await Promise.all([
      store.readSpec(taskId),
      store.readView(taskId, { bulk: false }),
    ]);
    if (!view || !spec) throw unknownTask(taskId);
    if (view.state !== 'finished' || this.#flights.has(taskId)) {
      throw new ScriptdError('NOT_FINISHED', `task ${taskId} is not finished: wait, or cancel it`);
    }
    // It is a task like any other, by the policies of today; but for its times, which are past.
    const { delayMs: _, runAt: __, ...again } = spec;
    const accepted = this.#submissions.check(again);
    const refusal =
      'code' in accepted ? accepted : this.#submissions.readmit(accepted.bytes, view.group);
    if (refusal) throw Object.assign(new ScriptdError(refusal.code, refusal.message), refusal);
    if ('code' in accepted) throw new ScriptdError(accepted.code, accepted.message);
    const { expiresAt } = accepted.submission.view;
    const resubmission = { taskId, ...(expiresAt !== undefined && { expiresAt }) };
    const [sent] = await store.resubmit([resubmission]);
    if (!sent) throw new ScriptdError('NOT_FINISHED', `task ${taskId} has been sent again already`);
    this.#takeAgain(sent, accepted.bytes, spec.retry);
    return sent;
  }

  #takeAgain(view: TaskView, bytes: number, retry: Retry | undefined): void {
    const { id, type, priority, score, group, attempt, createdAt, expiresAt, limits } = view;
    const moment = { nowMs: this.#now(), wallMs: this.#options.clock.wallMs() };
    const state = 'pending' as const;
    this.#resume({
      ...{ id, type, state, priority, createdAt, wallMs: limits.wallMs, attempt, bytes },
      ...{ attemptsBefore: attempt, workerDeaths: 0 },
      ...(group !== undefined && { group }),
    });
    this.#scheduler.resubmit(
      {
        ...{ id, type, state, priority, score, group, wallMs: limits.wallMs, retry, expiresAt },
        ...{ createdAt, attempt, attemptsBefore: attempt, workerDeaths: 0 },
      },
      moment,
    );
    this.#stir();
  }

  queues(): QueueReport[] {
    const lanes = new Map(this.#scheduler.lanes().map((lane) => [lane.type, lane]));
    const types = [...this.#options.policies.keys()].sort();
    return types.map((type) => {
      const none = { ready: 0, waiting: 0, running: 0, workers: 0, slots: 0 };
      return lanes.get(type) ?? { type, paused: false, ...none };
    });
  }

  async pauseQueue(type: string): Promise<QueueReport | undefined> {
    if (!this.#options.policies.has(type)) return undefined;
    await this.#pauses.pause(type);
    this.#scheduler.pauseType(type);
    this.#stir();
    return this.#queue(type);
  }

  async resumeQueue(type: string): Promise<QueueReport | undefined> {
    if (!this.#options.policies.has(type)) return undefined;
    await this.#pauses.resume(type);
    this.#scheduler.resumeType(type);
    this.#stir();
    return this.#queue(type);
  }

  #queue(type: string): QueueReport | undefined {
    return this.queues().find((queue) => queue.type === type);
  }

  schedules() {
    return this.#schedules.list();
  }

  schedule(id: string) {
    return this.#schedules.get(id);
  }

  async putSchedule(how: 'create' | 'put', schedule: ScheduleSpec) {
    const checked = this.#submissions.check(schedule.task);
    if ('code' in checked)
      throw Object.assign(new ScriptdError(checked.code, checked.message), checked);
    const put = await this.#schedules.put(how, schedule, this.#options.clock.wallMs());
    this.#stir();
    return put;
  }

  deleteSchedule(id: string): Promise<boolean> {
    return this.#schedules.delete(id);
  }

  report(requestId: number): MessageOf<'report'> {
    const missing = this.#fleet.missingTypes().map((type) => `no ${type} worker is connected`);
    const draining = this.#submissions.closed !== undefined;
    if (draining) missing.push('the controller is draining');
    if (this.#ledger.behind > 0)
      missing.push('the store takes nothing: its disk is full or failing');
    return {
      ...{ kind: 'report', requestId, ready: missing.length === 0, draining, missing },
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

  // What comes from workers.

  #workerUp(name: string, inventory: MessageOf<'inventory'>, instance: string): void {
    const { type, slots, prefetch, running, unacknowledged } = inventory;
    const { level: isolation } = inventory.isolation;
    this.#options.log.info({ worker: name, type, slots, isolation }, `worker ${name} is connected`);
    const offer = { id: name, type, slots, prefetch, instance, running, unacknowledged };
    this.#scheduler.connect(offer, this.#now());
    this.#stir();
  }

  #workerDown(name: string): void {
    this.#scheduler.disconnect(name, this.#now());
    this.#stir();
  }

  #fromWorker(name: string, message: FromEmitter): void {
    const nowMs = this.#now();
    switch (message.kind) {
      case 'draining':
        this.#scheduler.drain(name);
        break;
      case 'started':
        this.#scheduler.started(name, message, nowMs);
        break;
      case 'recalled':
        this.#scheduler.recalled(name, message, nowMs);
        break;
      case 'result': {
        const { taskId, attempt, result } = message;
        this.#scheduler.result(name, { taskId, attempt }, result, nowMs);
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
    this.#submissions.flush();
    const nowMs = this.#now();
    const actions = this.#scheduler.take(nowMs);
    if (actions.length > 0) this.#performer.perform(actions, nowMs);
    this.#setTimer();
  }

  // Time.

  #due(): void {
    this.#timerAtMs = Number.POSITIVE_INFINITY;
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
    this.#submitDue();
    this.#onIdle?.();
  }

  /** Schedules go by the wall clock, which may jump: so they are looked at again and again. */
  #submitDue(): void {
    if (this.#submissions.closed) return;
    const due = this.#schedules.takeDue(this.#options.clock.wallMs());
    for (const run of due) void this.#submitRun(run);
    if (due.length > 0) this.#stir();
  }

  async #submitRun(run: DueRun): Promise<void> {
    const { log } = this.#options;
    const { id, task } = run.schedule;
    try {
      const idempotencyKey = `schedule:${id}:${run.runAt}`;
      const view = await this.#submissions.submitted({ ...task, idempotencyKey });
      await this.#schedules.note(run, view.id);
    } catch (error) {
      log.error({ err: error, schedule: id }, `a run of schedule ${id} was not submitted`);
      if (mayPass(error)) this.#schedules.putBack(run);
    }
  }
}
