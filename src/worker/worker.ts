import { randomUUID } from 'node:crypto';
import { Checker } from '../checker/checker.js';
import { ScriptdError } from '../errors.js';
import { InvariantError } from '../invariant.js';
import type { IsolationFloor, IsolationReport } from '../isolation.js';
import type { Log } from '../log.js';
import { type Address, formatAddress, parseAddress } from '../poll/address.js';
import { type Listener, Poller } from '../poll/poller.js';
import type { Check } from '../task.js';
import { wireLimits } from '../wire/limits.js';
import type { Message, MessageOf } from '../wire/messages.js';
import type { WireToken } from '../wire/token.js';
import { requireLocal } from '../wire/transport.js';
import { CheckedRun } from './checked-run.js';
import { Deadlines } from './deadlines.js';
import { deliverable } from './deliverable.js';
import { WorkRoot } from './directory.js';
import { Emitter } from './emitter.js';
import type { Demand, Isolation } from './enclosure.js';
import { Execution } from './execution.js';
import { createIsolation } from './isolation.js';
import { Lifecycle, type WorkerEnd } from './lifecycle.js';
import { workerLimits } from './limits.js';
import { noopRun } from './noop.js';
import { attemptKey, type ExecuteMessage, type Waiting } from './queue.js';
import { resolveRuntime } from './runtimes/registry.js';
import type { ProcessRuntime, Runtime, RuntimeDefinition } from './runtimes/runtime.js';
import { Session, type SessionEvents } from './session.js';
import { type Run, type RunEvents, Slots, unrun } from './slots.js';
import type { Verdict } from './verdict.js';
import { ForkServers } from './warm/fork-servers.js';
import { enclosuresMax, forkServerPlan, readyMax } from './warm/plan.js';
import { Starter } from './warm/starter.js';

export type { WorkerEnd } from './lifecycle.js';

export interface WorkerOptions {
  /** Unique among workers, e.g. `python-1`. */
  name: string;
  /** The one task type that it executes. */
  type: string;
  /** Scripts that run at the same time. */
  slots: number;
  /** Where the controller connects: `unix:/PATH` or `tcp://HOST:PORT`. */
  listen: string;
  wireToken: WireToken;
  /** How the type is executed. Not needed for python, node, bash and noop. */
  runtime?: RuntimeDefinition;
  /** The least that keeps scripts apart from this host. */
  isolation: IsolationFloor;
  /** At level strict, and at basic for root: the first of the user and group ids that scripts run as. */
  firstScriptId?: number;
  /** What most tasks will demand: processes for them are ready before the first comes. */
  demands?: readonly Demand[];
  /** Folder that belongs to this worker alone; directories of earlier runs in it are removed. */
  workDirectory: string;
  /** Exits when no controller has been connected for so long. Default 55,000. */
  orphanMs?: number;
  /** `drain` ends what still runs after this. Default 30,000. */
  drainMs?: number;
  log: Log;
}

export interface WorkerStats {
  running: number;
  queued: number;
  unacknowledged: number;
  unacknowledgedBytes: number;
  /** Connections of a controller, 0 to 2. */
  connections: number;
  /** Processes that wait for a task. */
  ready: number;
  /** What can be made ready for the usual task is. */
  warm: boolean;
  /** Wall limits that are pending. */
  deadlines: number;
  /** Attempts are taken: it neither drains nor ends. */
  serving: boolean;
}

export interface Worker {
  /** Where it listens, as text. */
  readonly address: string;
  readonly isolation: IsolationReport;
  stats(): WorkerStats;
  /**
   * Takes no more, finishes what it has, waits until the results are acknowledged, and closes.
   * Resolves then. What still runs after `drainMs` is ended.
   */
  drain(): Promise<void>;
  /** Ends all that runs, and closes. */
  close(): Promise<void>;
  /** Resolves when it is closed and nothing of it is left. */
  readonly closed: Promise<WorkerEnd>;
}

/**
 * Starts a worker in this process: finds its runtime, claims its socket, and waits for the
 * controller.
 *
 * @throws ScriptdError RUNTIME_MISSING, RUNTIME_INVALID, WORK_DIRECTORY, BAD_ADDRESS,
 *   INSECURE_TRANSPORT, ISOLATION_UNAVAILABLE, EADDRINUSE
 *   (another worker answers there), or another errno's name.
 */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const address = requireLocal(parseAddress(options.listen));
  const { type, runtime: definition = {}, workDirectory } = options;
  const runtime = await resolveRuntime(type, definition, workDirectory);
  await refuseUnfit(definition.check, type);
  return new WorkerDaemon(options, address, runtime);
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
  readonly #log: Log;
  readonly #poller = new Poller();
  readonly #listener: Listener;
  readonly #deadlines: Deadlines;
  readonly #isolation: Isolation;
  readonly #starter: Starter | undefined;
  readonly #checker: Checker;
  readonly #slots: Slots;
  readonly #emitter = new Emitter();
  readonly #session: Session;
  readonly #heartbeat: NodeJS.Timeout;
  readonly #lifecycle: Lifecycle;

  constructor(options: WorkerOptions, address: Address, runtime: Runtime) {
    this.#options = options;
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
      this.#poller.close();
      throw error;
    }
    this.address = formatAddress(this.#listener.address);
    this.#session = this.#createSession();
    this.#starter = runtime.kind === 'process' ? this.#createStarter(runtime) : undefined;
    this.#checker = new Checker(options.slots);
    this.#slots = this.#createSlots(runtime);
    this.#lifecycle = this.#createLifecycle();
    this.#heartbeat = setInterval(() => {
      this.#session.heartbeat(nowMs());
      this.#emitter.pump();
    }, wireLimits.heartbeatMs);
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
    return this.#poller.listen(address, { onError }, (socket) => this.#session.accept(socket));
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
        if (channel === 'emitter') this.#emitter.detach(connection);
        this.#lifecycle.controllerThere(this.#session.size > 0);
      },
    };
    return new Session(identity, wireToken, events, this.#log);
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
      onResult: (attempt, result) => {
        this.#emitter.add(attempt, deliverable(attempt, result));
        this.#lifecycle.progressed();
      },
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
        if (!this.#slots.cancel(attemptKey(message), message.cause)) {
          this.#log.debug(
            { attempt: attemptKey(message) },
            'cancel of an attempt that is not here',
          );
        }
        break;
      case 'recall':
        // One that has begun was told of, or is about to be.
        if (this.#slots.recall(attemptKey(message))) this.#emitter.recalled(message);
        this.#lifecycle.progressed();
        break;
      case 'drain':
        this.#lifecycle.drain();
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

  async #release(): Promise<void> {
    clearInterval(this.#heartbeat);
    this.#listener.close();
    // Whoever waits for this worker waits for its connections to close: that comes last.
    this.#checker.close();
    await this.#starter?.close();
    await this.#isolation.settled();
    this.#isolation.close();
    await this.#session.end(workerLimits.lingerMs);
    this.#deadlines.close();
    this.#poller.close();
    this.#log.info({ unacknowledged: this.#emitter.size }, 'worker closed');
  }
}

const nowMs = () => performance.now();

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
