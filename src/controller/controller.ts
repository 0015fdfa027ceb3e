import type { Clock } from '../clock.js';
import type { Log } from '../log.js';
import type { Address } from '../poll/address.js';
import { Poller } from '../poll/poller.js';
import type { Timer } from '../poll/timer.js';
import type { ScheduleSpec } from '../schedule.js';
import { Admission } from '../scheduler/admission.js';
import type { CancelCause } from '../scheduler/endings.js';
import type { Evaluator } from '../scheduler/own-evaluator.js';
import { Scheduler } from '../scheduler/scheduler.js';
import type { TaskQuery, TaskStore } from '../store/port.js';
import type { Retry, TaskSpec, TaskView } from '../task.js';
import { VitalSigns } from '../vitals.js';
import type { Reach } from '../webhooks/reach.js';
import type { Identity } from '../wire/handshake.js';
import { wireLimits } from '../wire/limits.js';
import type { MessageOf } from '../wire/messages.js';
import type { QueueReport, WorkerReport } from '../wire/reports.js';
import type { WireToken } from '../wire/token.js';
import { Traffic } from '../wire/traffic.js';
import { Transport } from '../wire/transport.js';
import { ClientListener } from './client-listener.js';
import type { ClientRequests } from './client-requests.js';
import { Watches } from './clients.js';
import { Figures } from './figures.js';
import { Fleet } from './fleet.js';
import { Flights } from './flights.js';
import { Followers } from './followers.js';
import { FreshTasks } from './fresh-tasks.js';
import { JoinListener } from './join-listener.js';
import { Ledger } from './ledger.js';
import { controllerLimits } from './limits.js';
import type { WorkerManager } from './manager.js';
import { Overview } from './overview.js';
import { ownResult } from './own-result.js';
import { Pauses } from './pauses.js';
import { Performer } from './performer.js';
import type { Policy } from './policy.js';
import { Queues } from './queues.js';
import type { Refusal } from './refusal.js';
import { Revival } from './revival.js';
import { ScheduledRuns } from './scheduled-runs.js';
import { Schedules } from './schedules.js';
import { Standing } from './standing.js';
import { Submissions } from './submissions.js';
import type { Tracer } from './tracing/tracer.js';
import { typeLoads } from './type-loads.js';
import { Webhooks, type WebhooksOptions } from './webhooks.js';
import { WorkerEvents } from './worker-events.js';
import { WorkerVitals } from './worker-vitals.js';

export interface ControllerOptions {
  /** Where http daemons connect. */
  listen: Address;
  /** Where else they do. */
  listenAlso?: readonly Address[];
  /** Where workers join. */
  joinListen?: Address;
  /** How the parts talk to each other. Default: on this host. */
  transport?: Transport;
  local: Identity;
  token: WireToken;
  store: TaskStore;
  manager: WorkerManager;
  /** What each type gives and allows. One for each type that the manager has workers for. */
  policies: ReadonlyMap<string, Policy>;
  evaluator: Evaluator;
  /** How tasks of a type are tried again that do not ask. */
  retry?: ReadonlyMap<string, Retry>;
  /**
   * Attempts of a worker that is not of this host are not lost before it has been away for so long.
   * Milliseconds; default 0.
   */
  reconnectGraceMs?: number;
  /** Gets every finished task. Whoever made it closes it. */
  tracer?: Tracer | undefined;
  /** Weights of groups; others have 1. */
  groups?: ReadonlyMap<string, number>;
  /** How webhooks are told; without it tasks may have none. */
  webhooks?: Pick<WebhooksOptions, 'courier' | 'keys'> & { reach: Reach };
  clock: Clock;
  log: Log;
}

const shuttingDown: Refusal = { code: 'DRAINING', message: 'the controller is shutting down' };
const tooLarge = ownResult(
  'START_FAILED',
  'The script could not be started: its task is too large to be sent to a worker.',
);

/**
 * The states controller: composes scheduler, store, workers and http daemons. Everything that comes
 * in within one turn of the event loop is decided and stored together at its end.
 */
export class Controller implements ClientRequests {
  readonly #options: ControllerOptions;
  readonly #poller = new Poller();
  readonly #transport: Transport;
  readonly #scheduler: Scheduler;
  readonly #flights = new Flights();
  readonly #watches = new Watches();
  readonly #followers: Followers;
  readonly #admission: Admission;
  readonly #ledger: Ledger;
  readonly #submissions: Submissions;
  readonly #performer: Performer;
  readonly #queues: Queues;
  readonly #revival: Revival;
  readonly #schedules: Schedules;
  readonly #runs: ScheduledRuns;
  readonly #webhooks: Webhooks;
  readonly #workerEvents: WorkerEvents;
  readonly #fleet: Fleet;
  readonly #timer: Timer;
  readonly #figures: Figures;
  readonly #vitalSigns = new VitalSigns(() => this.#poller.stats());
  readonly #standing: Standing;
  readonly #overview: Overview;
  readonly #traffic = { http: new Traffic(), worker: new Traffic() };
  #heartbeat: NodeJS.Timeout | undefined;
  #clients: ClientListener | undefined;
  #joins: JoinListener | undefined;
  #turnAhead = false;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #onIdle: (() => void) | undefined;
  #closed = false;

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.#transport = options.transport ?? new Transport();
    const { local, token, manager, policies, evaluator, store, clock, log } = options;
    const { retry = new Map(), groups = new Map() } = options;
    this.#scheduler = new Scheduler({ random: Math.random, retry, groups });
    this.#figures = new Figures(policies.keys());
    const vitals = new WorkerVitals(this.#figures);
    const { unfinishedTasksMax, unfinishedBytesMax } = controllerLimits;
    const { groupTasksMax, groupBytesMax } = controllerLimits;
    this.#admission = new Admission({
      all: { tasks: unfinishedTasksMax, bytes: unfinishedBytesMax },
      perGroup: { tasks: groupTasksMax, bytes: groupBytesMax },
    });
    this.#ledger = new Ledger(store, log);
    this.#queues = new Queues({
      ...{ types: policies.keys(), scheduler: this.#scheduler },
      ...{ pauses: new Pauses(store), flights: this.#flights },
    });
    this.#schedules = new Schedules(store, log);
    this.#timer = this.#poller.timer(() => this.#due());
    this.#followers = new Followers({
      read: (taskId) => store.readView(taskId, { bulk: false }),
      flying: (taskId) => this.#flights.flying(taskId),
      send: (workerId, message) => this.#fleet.get(workerId)?.send(message),
    });
    const followers = this.#followers;
    const { reconnectGraceMs = 0 } = options;
    this.#workerEvents = new WorkerEvents({
      ...{ scheduler: this.#scheduler, followers, vitals },
      ...{ reconnectGraceMs, clock, log },
      stir: () => this.#stir(),
    });
    const [transport, traffic] = [this.#transport, this.#traffic.worker];
    this.#fleet = new Fleet(
      { poller: this.#poller, transport, local, token, manager, traffic, clock, log },
      this.#workerEvents,
    );
    this.#standing = new Standing({
      ...{ local, vitals, own: this.#vitalSigns, fleet: this.#fleet, scheduler: this.#scheduler },
      ...{ ledger: this.#ledger, queues: this.#queues, figures: this.#figures },
      ...{ store, traffic: this.#traffic, tracer: options.tracer, clock },
    });
    this.#overview = new Overview({
      ...{ standing: this.#standing, queues: this.#queues, fleet: this.#fleet },
      ...{ figures: this.#figures, store, clock, log },
    });
    const fresh = new FreshTasks();
    const shared = {
      ...{ store, flights: this.#flights, fresh, admission: this.#admission },
      ...{ figures: this.#figures, clock, log },
    };
    this.#submissions = new Submissions({
      ...{ ...shared, policies, evaluator },
      ...(options.webhooks && { reach: options.webhooks.reach }),
      onStored: (task) => {
        this.#scheduler.submit(task);
        this.#stir();
      },
    });
    const [submissions, scheduler, schedules] = [
      this.#submissions,
      this.#scheduler,
      this.#schedules,
    ];
    this.#revival = new Revival({ ...shared, submissions, scheduler });
    this.#runs = new ScheduledRuns({ schedules, submissions, clock, log });
    this.#webhooks = new Webhooks({ ...shared, ...options.webhooks });
    this.#performer = new Performer({
      ...{ ...shared, fleet: this.#fleet, ledger: this.#ledger, watches: this.#watches, followers },
      tracer: options.tracer,
      onUnread: (workerId, key) => {
        this.#scheduler.unread(workerId, key, this.#now());
        this.#stir();
      },
      onUnsendable: (workerId, key) => {
        this.#scheduler.result(workerId, key, tooLarge, this.#now());
        this.#stir();
      },
      onFinished: (view) => this.#webhooks.finished(view),
      onIdle: () => this.#onIdle?.(),
    });
  }

  /**
   * Connects to the workers, takes back what an earlier controller left unfinished, and then lets in
   * http daemons.
   *
   * @throws ScriptdError EADDRINUSE when another controller listens there; STORE_CORRUPT
   */
  async start(): Promise<void> {
    const { listen, listenAlso = [], joinListen, local, token, log } = this.#options;
    const shared = { poller: this.#poller, transport: this.#transport, local, token, log };
    const addresses = [listen, ...listenAlso];
    const [watches, followers] = [this.#watches, this.#followers];
    const served = { requests: this, watches, followers, traffic: this.#traffic.http };
    this.#clients = new ClientListener({ ...shared, ...served, addresses });
    this.#options.manager.drain = (name) => this.#drainWorker(name);
    // Workers start meanwhile. What they say waits: the tasks have to be there before their attempts.
    const tell = this.#workerEvents.hold();
    this.#fleet.start();
    if (joinListen) {
      const types = this.#options.policies;
      const [fleet, traffic] = [this.#fleet, this.#traffic.worker];
      this.#joins = new JoinListener({ ...shared, address: joinListen, types, fleet, traffic });
    }
    const tasks = await this.#revival.restore();
    if (tasks > 0) log.info({ tasks }, `took back ${tasks} tasks that were not finished`);
    await this.#queues.read();
    await this.#schedules.read(this.#options.clock.wallMs());
    this.#heartbeat = setInterval(() => this.#beat(), wireLimits.heartbeatMs);
    tell();
    this.#clients.open();
    this.#stir();
  }

  /**
   * Refuses new tasks, and waits until what runs is finished; after `waitMs` it goes on all the same.
   * With a store that outlives it, what is pending stays there for the next controller.
   */
  async drain(waitMs: number): Promise<void> {
    const { log, store } = this.#options;
    this.#submissions.closed = shuttingDown;
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
    const here = [...this.#fleet.up()].filter(({ seat }) => seat.local);
    const pids = here.map(({ inventory }) => inventory.pid);
    await this.#fleet.dismiss(waitMs);
    await this.#options.manager.finish(Math.max(0, waitMs - (this.#now() - startMs)), pids);
  }

  /** Lets go of everything but the store; workers go on. */
  close(): void {
    // Clients whose connections end, and writes that are under way, still tell of it later.
    this.#closed = true;
    this.#submissions.closed = shuttingDown;
    clearInterval(this.#heartbeat);
    this.#options.manager.stop();
    this.#joins?.end();
    this.#fleet.stop();
    this.#clients?.end();
    this.#ledger.close();
    this.#vitalSigns.close();
    this.#webhooks.close();
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

  readSpec(taskId: string): Promise<TaskSpec | undefined> {
    return this.#options.store.readSpec(taskId);
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
    const view = await this.#revival.retry(taskId);
    this.#stir();
    return view;
  }

  delivery(taskId: string) {
    return this.#webhooks.report(taskId);
  }

  redeliver(taskId: string) {
    return this.#webhooks.redeliver(taskId);
  }

  queues(): QueueReport[] {
    return this.#queues.report(this.#now());
  }

  async pauseQueue(type: string): Promise<QueueReport | undefined> {
    const queue = await this.#queues.pause(type, this.#now());
    this.#stir();
    return queue;
  }

  async resumeQueue(type: string): Promise<QueueReport | undefined> {
    const queue = await this.#queues.resume(type, this.#now());
    this.#stir();
    return queue;
  }

  schedules() {
    return this.#schedules.list();
  }

  schedule(id: string) {
    return this.#schedules.get(id);
  }

  async putSchedule(how: 'create' | 'put', schedule: ScheduleSpec) {
    const put = await this.#runs.put(how, schedule);
    this.#stir();
    return put;
  }

  setScheduleEnabled(id: string, enabled: boolean) {
    return this.#schedules.setEnabled(id, enabled, this.#options.clock.wallMs());
  }

  deleteSchedule(id: string): Promise<boolean> {
    return this.#schedules.delete(id);
  }

  report(requestId: number): MessageOf<'report'> {
    return { kind: 'report', requestId, ...this.#standing.report(this.#draining) };
  }

  measure(requestId: number): MessageOf<'figures'> {
    return { kind: 'figures', requestId, ...this.#standing.measure(this.#draining) };
  }

  overview() {
    return this.#overview.report(() => this.#draining);
  }

  history() {
    return this.#overview.history();
  }

  drainWorker(name: string): WorkerReport | undefined {
    if (!this.#fleet.get(name)?.up) return undefined;
    this.#options.log.info({ worker: name }, `draining worker ${name}: somebody asked for it`);
    this.#options.manager.retire?.(name);
    this.#drainWorker(name);
    return this.#standing.worker(name);
  }

  get #draining(): boolean {
    return this.#submissions.closed !== undefined;
  }

  #drainWorker(name: string): void {
    const link = this.#fleet.get(name);
    const up = link?.up;
    this.#scheduler.drain(name);
    // One that is told to go while it has nothing does so: what it was given has to be there before.
    this.#performer.whenSent(name, () => {
      if (link?.up === up) link?.drain();
    });
    this.#stir();
  }

  // Turns.

  #now(): number {
    return this.#options.clock.monotonicMs();
  }

  /** Something happened: decide at the end of this turn. */
  #stir(): void {
    if (this.#turnAhead || this.#closed) return;
    this.#turnAhead = true;
    queueMicrotask(() => {
      this.#turnAhead = false;
      this.#turn();
    });
  }

  #turn(): void {
    if (this.#closed) return;
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
    const nowMs = this.#now();
    // One that is farther away is looked at again then.
    this.#timerAtMs = Math.min(nextMs, nowMs + controllerLimits.timerMsMax);
    this.#timer.setAfter(Math.max(0, this.#timerAtMs - nowMs));
  }

  #beat(): void {
    const nowMs = performance.now();
    this.#fleet.heartbeat(nowMs);
    this.#clients?.heartbeat(nowMs);
    this.#joins?.heartbeat(nowMs);
    const { manager } = this.#options;
    manager.load?.(typeLoads(manager.types, this.#scheduler));
    this.#overview.beat();
    this.#runs.submitDue();
    this.#webhooks.beat();
    this.#onIdle?.();
    this.#stir();
  }
}
