import { randomUUID } from 'node:crypto';
import { Checker } from '../checker/checker.js';
import { ScriptdError } from '../errors.js';
import { InvariantError } from '../invariant.js';
import type { IsolationReport } from '../isolation.js';
import type { Log } from '../log.js';
import { type Address, formatAddress, parseAddress } from '../poll/address.js';
import { type Listener, Poller } from '../poll/poller.js';
import type { Socket } from '../poll/socket.js';
import type { Check } from '../task.js';
import { VitalSigns, vitalsMs } from '../vitals.js';
import { wireLimits } from '../wire/limits.js';
import type { Message, MessageOf } from '../wire/messages.js';
import { Transport } from '../wire/transport.js';
import { CheckedRun } from './checked-run.js';
import { Deadlines } from './deadlines.js';
import { deliverable } from './deliverable.js';
import { WorkRoot } from './directory.js';
import { Emitter } from './emitter.js';
import type { Isolation } from './enclosure.js';
import { Execution } from './execution.js';
import { Follows } from './follows.js';
import { createIsolation } from './isolation.js';
import { Joiner } from './joiner.js';
import { Lifecycle, type WorkerEnd } from './lifecycle.js';
import { workerLimits } from './limits.js';
import { noopRun } from './noop.js';
import { attemptKey, type ExecuteMessage, type Waiting } from './queue.js';
import { resolveRuntime } from './runtimes/registry.js';
import type { ProcessRuntime, Runtime } from './runtimes/runtime.js';
import { Session, type SessionEvents } from './session.js';
import { type Run, type RunEvents, Slots, unrun } from './slots.js';
import type { Verdict } from './verdict.js';
import { ForkServers } from './warm/fork-servers.js';
import { enclosuresMax, forkServerPlan, readyMax } from './warm/plan.js';
import { Starter } from './warm/starter.js';
import type { Worker, WorkerOptions, WorkerStats } from './worker-options.js';

export type { WorkerEnd } from './lifecycle.js';
export type { Worker, WorkerOptions, WorkerStats } from './worker-options.js';

/**
 * Starts a worker in this process: finds its runtime, claims its socket, and waits for the
 * controller.
 *
 * @throws ScriptdError RUNTIME_MISSING, RUNTIME_INVALID, WORK_DIRECTORY, BAD_ADDRESS,
 *   INSECURE_TRANSPORT, ISOLATION_UNAVAILABLE, EADDRINUSE
 *   (another worker answers there), or another errno's name.
 */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const transport = options.transport ?? new Transport();
  const address = transport.checked(parseAddress(options.listen));
  if (options.join) transport.checked(options.join);
  const { type, runtime: definition = {}, workDirectory } = options;
  const runtime = await resolveRuntime(type, definition, workDirectory);
  await refuseUnfit(definition.check, type);
  return new WorkerDaemon(options, transport, address, runtime);
}

async function refuseUnfit(check: Check | undefined, type: string): Promise<void> {
  if (!check) return;
  const checker = new Checker(1);
  const fault = await checker.compile(check).finally(() => checker.close());
  if (!fault) return;
  const message = `runtimes.${type}: ${fault.message}`;
  throw new ScriptdError('RUNTIME_INVALID', message);
}

class WorkerDaemon implements Worker {
  readonly address: string;
  readonly isolation: IsolationReport;
  readonly #options: WorkerOptions;
  readonly #transport: Transport;
  readonly #log: Log;
  readonly #poller = new Poller();
  readonly #listener: Listener;
  readonly #deadlines: Deadlines;
  readonly #isolation: Isolation;
  readonly #starter: Starter | undefined;
  readonly #checker: Checker;
  readonly #slots: Slots;
  readonly #emitter = new Emitter();
  readonly #follows = new Follows({
    outputsOf: (key) => this.#slots.outputsOf(key),
    send: (output) => this.#emitter.output(output),
  });
  readonly #session: Session;
  readonly #joiner: Joiner | undefined;
  readonly #heartbeat: NodeJS.Timeout;
  readonly #vitalSigns = new VitalSigns(() => this.#poller.stats());
  readonly #telling: NodeJS.Timeout;
  readonly #lifecycle: Lifecycle;

  constructor(options: WorkerOptions, transport: Transport, address: Address, runtime: Runtime) {
    this.#options = options;
    this.#transport = transport;
    this.#log = options.log;
    try {
      const root = new WorkRoot(options.workDirectory, this.#log);
      this.#listener = this.#listen(address);
      // Only now is it sure that no other worker of this name uses the folder.
      root.prepare(runtime.kind === 'process' ? (runtime.rootFiles ?? {}) : {});
      const { isolation, report, lacking } = createIsolation(
        options,
        runtime,
        root,
        enclosuresMax(options.slots),
      );
      this.#isolation = isolation;
      this.isolation = report;
      if (lacking)
        this.#log.warn(`isolation is ${report.level}, not strict: this host lacks ${lacking}`);
      this.#deadlines = new Deadlines((onExpire) => this.#poller.timer(onExpire), nowMs);
    } catch (error) {
      this.#vitalSigns.close();
      this.#poller.close();
      throw error;
    }
    this.address = formatAddress(options.join ?? this.#listener.address);
    this.#session = this.#createSession();
    this.#joiner = this.#createJoiner();
    this.#starter = runtime.kind === 'process' ? this.#createStarter(runtime) : undefined;
    this.#checker = new Checker(options.slots);
    this.#slots = this.#createSlots(runtime);
    this.#lifecycle = this.#createLifecycle();
    this.#heartbeat = setInterval(() => {
      this.#session.heartbeat(nowMs());
      this.#emitter.pump();
    }, wireLimits.heartbeatMs);
    this.#telling = setInterval(() => this.#emitter.vitals(this.#vitals()), vitalsMs);
    this.#lifecycle.controllerThere(false);
    for (const demand of options.demands ?? []) this.#starter?.warm(demand);
    const { name, type, slots } = options;
    const { level: isolation, layers } = this.isolation;
    this.#log.info({ name, type, slots, isolation, layers, address: this.address }, 'worker ready');
  }

  get closed(): Promise<WorkerEnd> {
    return this.#lifecycle.closed;
  }

  stats(): WorkerStats {
    return {
      running: this.#slots.running,
      queued: this.#slots.queued,
      unacknowledged: this.#emitter.size,
      unacknowledgedBytes: this.#emitter.heldBytes,
      connections: this.#session.size,
      ready: this.#starter?.ready ?? 0,
      warm: this.#starter?.isWarm ?? true,
      deadlines: this.#deadlines.size,
      serving: this.#lifecycle.serving,
    };
  }

  async drain(): Promise<void> {
    this.#emitter.draining();
    this.#lifecycle.drain();
    await this.closed;
  }

  async close(): Promise<void> {
    this.#lifecycle.end('closed');
    await this.closed;
  }

  #listen(address: Address): Listener {
    const onError = (error: ScriptdError) => {
      this.#log.error({ err: error }, 'connections cannot be accepted');
    };
    return this.#poller.listen(address, { onError }, (socket) => {
      if (this.#options.join) refuse(socket);
      else this.#session.accept(this.#transport.accept(socket, address));
    });
  }

  #createSession(): Session {
    const { name, wireToken } = this.#options;
    const identity = { role: 'worker', id: name, instance: randomUUID() } as const;
    const events: SessionEvents = {
      onOpen: (channel, connection) => {
        if (channel === 'emitter') {
          this.#emitter.attach(connection, this.#inventory());
          if (!this.#lifecycle.serving) this.#emitter.draining();
        }
        this.#lifecycle.controllerThere(true);
      },
      onMessage: (message) => this.#receive(message),
      onClose: (channel, connection) => {
        if (channel === 'emitter') {
          this.#emitter.detach(connection);
          this.#follows.clear();
        }
        this.#lifecycle.controllerThere(this.#session.size > 0);
      },
    };
    return new Session(identity, wireToken, events, this.#log);
  }

  #createJoiner(): Joiner | undefined {
    const { join: address } = this.#options;
    if (!address) return undefined;
    const { transport, session } = { transport: this.#transport, session: this.#session };
    return new Joiner({ poller: this.#poller, transport, address, session, log: this.#log });
  }

  #createStarter(runtime: ProcessRuntime): Starter {
    const shared = { poller: this.#poller, log: this.#log };
    const plan = this.#isolation.level === 'strict' ? forkServerPlan(runtime) : undefined;
    return new Starter({
      ...shared,
      runtime,
      isolation: this.#isolation,
      readyMax: readyMax(this.#options.slots),
      nowMs,
      ...(plan && { forkServers: new ForkServers({ ...shared, plan }) }),
    });
  }

  #createSlots(runtime: Runtime): Slots {
    const { slots } = this.#options;
    const context = {
      poller: this.#poller,
      deadlines: this.#deadlines,
      nowMs,
      log: this.#log,
    };
    const starter = this.#starter;
    const createRun = (waiting: Waiting, events: RunEvents): Run =>
      runtime.kind === 'noop' || !starter
        ? noopRun(waiting, events, nowMs)
        : new Execution({ ...context, runtime, starter }, waiting, events);
    const checked = { checker: this.#checker, nowMs, createRun };
    return new Slots({
      slots,
      queueMax: slots * workerLimits.queuedPerSlot,
      nowMs,
      createRun: (waiting, events) => {
        const check = waiting.task.check ?? this.#options.runtime?.check;
        if (!check) return createRun(waiting, events);
        return new CheckedRun(checked, waiting, check, events);
      },
      onStarted: (attempt) => this.#emitter.started(attempt),
      onOutput: (key) => this.#follows.wrote(key),
      onResult: (attempt, result) => {
        this.#follows.ended(attemptKey(attempt), result);
        this.#emitter.add(attempt, deliverable(attempt, result));
        this.#lifecycle.progressed();
      },
      onLeft: () => this.#lifecycle.progressed(),
    });
  }

  #createLifecycle(): Lifecycle {
    const { orphanMs, drainMs } = this.#options;
    const parts = {
      isIdle: () => this.#slots.idle,
      isAcknowledged: () => this.#emitter.size === 0,
      endRuns: () => this.#slots.shutDown(workerGone),
      release: () => this.#release(),
    };
    return new Lifecycle(parts, {
      orphanMs: orphanMs ?? workerLimits.orphanMsDefault,
      drainMs: drainMs ?? workerLimits.drainMsDefault,
      log: this.#log,
    });
  }

  #receive(message: Message): void {
    switch (message.kind) {
      case 'execute':
        this.#execute(message);
        break;
      case 'cancel':
        this.#cancel(message);
        break;
      case 'recall':
        // One that has begun was told of, or is about to be.
        if (this.#slots.recall(attemptKey(message))) this.#emitter.recalled(message);
        this.#lifecycle.progressed();
        break;
      case 'follow':
        if (!this.#follows.add(message)) {
          this.#log.warn(
            `${this.#follows.size} follow outputs here; another has to wait for its end`,
          );
        }
        break;
      case 'unfollow':
        this.#follows.remove(message.followId);
        break;
      case 'drain':
        this.#lifecycle.drain();
        break;
      case 'unwelcome':
        this.#joiner?.turnedAway(message);
        break;
      case 'acknowledge':
        this.#emitter.acknowledge(message.results);
        this.#lifecycle.progressed();
        break;
      default:
        throw new InvariantError(`the handshake lets no ${message.kind} through to a worker`);
    }
  }

  #execute(task: ExecuteMessage): void {
    const key = attemptKey(task);
    if (this.#slots.has(key) || this.#emitter.has(key)) {
      this.#log.debug({ attempt: key }, 'execute of an attempt that is here already');
      return;
    }
    const refusal = this.#refusal() ?? (this.#slots.take(task) ? undefined : this.#allTaken());
    if (refusal) this.#emitter.add({ taskId: task.taskId, attempt: task.attempt }, unrun(refusal));
    if (this.#emitter.size > workerLimits.unacknowledgedMax) {
      const text = `${this.#emitter.size} results are not acknowledged`;
      this.#session.close(new ScriptdError('CONTROLLER_BEHIND', text));
    }
  }

  /** Always answered: who is not would be taken for one that ends nothing. */
  #cancel(message: MessageOf<'cancel'>): void {
    const key = attemptKey(message);
    if (this.#slots.cancel(key, message.cause) || this.#emitter.has(key)) return;
    this.#log.debug({ attempt: key }, 'cancel of an attempt that is not here');
    this.#emitter.recalled(message);
  }

  /** Why no attempt is taken at all. */
  #refusal(): Verdict | undefined {
    if (!this.#lifecycle.serving) return busy(`The worker ${this.#options.name} drains`);
    const bytes = this.#emitter.heldBytes;
    if (bytes <= workerLimits.unacknowledgedBytesMax) return undefined;
    return busy(`The worker ${this.#options.name} holds ${bytes} bytes of unacknowledged results`);
  }

  #allTaken(): Verdict {
    const { name, slots } = this.#options;
    return busy(`All ${slots} slots of the worker ${name} and its queue are taken`);
  }

  #inventory(): MessageOf<'inventory'> {
    return {
      kind: 'inventory',
      type: this.#options.type,
      slots: this.#options.slots,
      prefetch: prefetchOf(this.#options.slots),
      pid: process.pid,
      isolation: this.isolation,
      running: this.#slots.attempts(),
      unacknowledged: this.#emitter.unacknowledged(),
    };
  }

  #vitals(): MessageOf<'vitals'> {
    const { ready = 0, warmStarts = 0, coldStarts = 0 } = this.#starter ?? {};
    return { kind: 'vitals', vitals: this.#vitalSigns.read(), ready, warmStarts, coldStarts };
  }

  async #release(): Promise<void> {
    clearInterval(this.#heartbeat);
    clearInterval(this.#telling);
    this.#vitalSigns.close();
    this.#listener.close();
    this.#joiner?.stop();
    this.#follows.clear();
    // Whoever waits for this worker waits for its connections to close: that comes last.
    this.#checker.close();
    try {
      await this.#starter?.close();
      await this.#isolation.settled();
      this.#isolation.close();
    } catch (error) {
      this.#log.error({ err: error }, 'what surrounded the runs cannot be let go of');
    }
    await this.#session.end(workerLimits.lingerMs);
    this.#deadlines.close();
    this.#poller.close();
    this.#log.info({ unacknowledged: this.#emitter.size }, 'worker closed');
  }
}

const nowMs = () => performance.now();

/** Where this worker only shows that it is there. */
function refuse(socket: Socket): void {
  socket.setHandlers({ onData: () => undefined });
  socket.close();
}

/** One at hand for each slot, as long as they are few. */
function prefetchOf(slots: number): number {
  return Math.min(slots, workerLimits.prefetchMax);
}

const workerGone: Verdict = {
  outcome: 'network_fail',
  code: 'WORKER_LOST',
  reason: 'The worker was shut down before the script ran.',
};

function busy(why: string): Verdict {
  return { outcome: 'internal_fail', code: 'WORKER_BUSY', reason: `${why}.` };
}
