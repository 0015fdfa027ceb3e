import { randomUUID } from 'node:crypto';
import { ScriptdError } from '../errors.js';
import type { Log } from '../log.js';
import { type Address, formatAddress, parseAddress } from '../poll/address.js';
import { type Listener, Poller } from '../poll/poller.js';
import { wireLimits } from '../wire/limits.js';
import type { Message, MessageOf } from '../wire/messages.js';
import type { WireToken } from '../wire/token.js';
import { Deadlines } from './deadlines.js';
import { WorkRoot } from './directory.js';
import { Emitter } from './emitter.js';
import { Execution } from './execution.js';
import { workerLimits } from './limits.js';
import { noopRun } from './noop.js';
import { attemptKey, type ExecuteMessage } from './queue.js';
import { resolveRuntime } from './runtimes/registry.js';
import type { Runtime, RuntimeDefinition } from './runtimes/runtime.js';
import { Session } from './session.js';
import { Slots, unrun } from './slots.js';
import type { Verdict } from './verdict.js';

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
  /** Folder that belongs to this worker alone: what stands in its subfolders is removed. */
  workDirectory: string;
  /** Exits when no controller has been connected for so long. Default 60,000. */
  orphanMs?: number;
  /** `drain` ends what still runs after this. Default 30,000. */
  drainMs?: number;
  log: Log;
}

/** Why a worker is closed: drained, left without a controller, or told to. */
export type WorkerEnd = 'drained' | 'drainTimeout' | 'orphaned' | 'closed';

export interface WorkerStats {
  running: number;
  queued: number;
  unacknowledged: number;
  unacknowledgedBytes: number;
  /** Connections of a controller, 0 to 2. */
  connections: number;
  /** Wall limits that are pending. */
  deadlines: number;
  draining: boolean;
}

export interface Worker {
  /** Where it listens, as text. */
  readonly address: string;
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
 * @throws ScriptdError RUNTIME_MISSING, RUNTIME_INVALID, WORK_DIRECTORY, BAD_ADDRESS, EADDRINUSE
 *   (another worker answers there), or another errno's name.
 */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const address = parseAddress(options.listen);
  const runtime = await resolveRuntime(options.type, options.runtime);
  return new WorkerDaemon(options, address, runtime);
}

class WorkerDaemon implements Worker {
  readonly address: string;
  readonly closed: Promise<WorkerEnd>;
  readonly #options: WorkerOptions;
  readonly #log: Log;
  readonly #poller = new Poller();
  readonly #listener: Listener;
  readonly #deadlines: Deadlines;
  readonly #root: WorkRoot;
  readonly #slots: Slots;
  readonly #emitter = new Emitter();
  readonly #session: Session;
  readonly #heartbeat: NodeJS.Timeout;
  #orphanTimer: NodeJS.Timeout | undefined;
  #drainTimer: NodeJS.Timeout | undefined;
  #draining = false;
  #end: WorkerEnd | undefined;
  #announceClosed: (end: WorkerEnd) => void = () => undefined;
  /** Called whenever something that a drain or a close waits for may have come. */
  #onProgress: () => void = () => undefined;

  constructor(options: WorkerOptions, address: Address, runtime: Runtime) {
    this.#options = options;
    this.#log = options.log;
    this.closed = new Promise((resolve) => {
      this.#announceClosed = resolve;
    });
    const nowMs = () => performance.now();
    try {
      this.#root = new WorkRoot(options.workDirectory, this.#log);
      this.#listener = this.#poller.listen(
        address,
        { onError: (error) => this.#log.error({ err: error }, 'connections cannot be accepted') },
        (socket) => this.#session.accept(socket),
      );
      // Only now is it sure that no other worker of this name uses the folder.
      this.#root.prepare(runtime.kind === 'process' ? (runtime.rootFiles ?? {}) : {});
      this.#deadlines = new Deadlines((onExpire) => this.#poller.timer(onExpire), nowMs);
    } catch (error) {
      this.#poller.close();
      throw error;
    }
    this.address = formatAddress(this.#listener.address);
    const identity = { role: 'worker', id: options.name, instance: randomUUID() } as const;
    this.#session = new Session(
      identity,
      options.wireToken,
      {
        onOpen: (channel, connection) => {
          if (channel === 'emitter') this.#emitter.attach(connection, this.#inventory());
          this.#watchForOrphan();
        },
        onMessage: (message) => this.#receive(message),
        onClose: (channel, connection) => {
          if (channel === 'emitter') this.#emitter.detach(connection);
          this.#watchForOrphan();
        },
      },
      this.#log,
    );
    const shared = { poller: this.#poller, deadlines: this.#deadlines, root: this.#root };
    this.#slots = new Slots({
      slots: options.slots,
      queueMax: options.slots * workerLimits.queuedPerSlot,
      nowMs,
      createRun: (waiting, events) =>
        runtime.kind === 'noop'
          ? noopRun(waiting, events, nowMs)
          : new Execution({ ...shared, runtime, nowMs, log: this.#log }, waiting, events),
      onStarted: (attempt) => this.#emitter.started(attempt),
      onResult: (attempt, result) => {
        this.#emitter.add(attempt, result);
        this.#onProgress();
      },
    });
    this.#heartbeat = setInterval(() => {
      this.#session.heartbeat(nowMs());
      this.#emitter.pump();
    }, wireLimits.heartbeatMs);
    this.#watchForOrphan();
    const { name, type, slots } = options;
    this.#log.info({ name, type, slots, address: this.address }, 'worker ready');
  }

  stats(): WorkerStats {
    return {
      running: this.#slots.running,
      queued: this.#slots.queued,
      unacknowledged: this.#emitter.size,
      unacknowledgedBytes: this.#emitter.heldBytes,
      connections: this.#session.size,
      deadlines: this.#deadlines.size,
      draining: this.#draining,
    };
  }

  async drain(): Promise<void> {
    this.#beginDrain();
    await this.closed;
  }

  async close(): Promise<void> {
    this.#shutDown('closed');
    await this.closed;
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
      case 'drain':
        this.#beginDrain();
        break;
      case 'acknowledge':
        this.#emitter.acknowledge(message.results);
        this.#onProgress();
        break;
      case 'ping':
      case 'pong':
        break;
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
    if (this.#draining) return busy(`The worker ${this.#options.name} drains`);
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
      pid: process.pid,
      running: this.#slots.attempts(),
      unacknowledged: this.#emitter.unacknowledged(),
    };
  }

  #watchForOrphan(): void {
    clearTimeout(this.#orphanTimer);
    if (this.#session.size > 0 || this.#end) return;
    const orphanMs = this.#options.orphanMs ?? workerLimits.orphanMsDefault;
    this.#orphanTimer = setTimeout(() => {
      this.#log.warn({ orphanMs }, 'no controller came; the worker exits');
      this.#shutDown('orphaned');
    }, orphanMs);
  }

  #beginDrain(): void {
    if (this.#draining || this.#end) return;
    this.#draining = true;
    const { running, queued, unacknowledged } = this.stats();
    this.#log.info({ running, queued, unacknowledged }, 'draining');
    this.#drainTimer = setTimeout(() => {
      this.#log.warn(this.stats(), 'drain takes too long; what still runs is ended');
      this.#shutDown('drainTimeout');
    }, this.#options.drainMs ?? workerLimits.drainMsDefault);
    this.#onProgress = () => {
      if (this.#slots.idle && this.#emitter.size === 0) this.#shutDown('drained');
    };
    this.#onProgress();
  }

  /** Ends what runs, gives its results a little time to be acknowledged, then lets go of all. */
  #shutDown(end: WorkerEnd): void {
    if (this.#end) return;
    this.#end = end;
    this.#draining = true;
    clearTimeout(this.#drainTimer);
    clearTimeout(this.#orphanTimer);
    const patience = setTimeout(() => void this.#release(end), workerLimits.closeMs);
    this.#onProgress = () => {
      const isAcknowledged = this.#emitter.size === 0 || end !== 'drainTimeout';
      if (!this.#slots.idle || !isAcknowledged) return;
      this.#onProgress = () => undefined;
      clearTimeout(patience);
      void this.#release(end);
    };
    this.#slots.shutDown(workerGone);
    this.#onProgress();
  }

  async #release(end: WorkerEnd): Promise<void> {
    clearInterval(this.#heartbeat);
    this.#listener.close();
    await this.#session.end(workerLimits.lingerMs);
    await this.#root.settled();
    this.#deadlines.close();
    this.#poller.close();
    this.#log.info({ end, unacknowledged: this.#emitter.size }, 'worker closed');
    this.#announceClosed(end);
  }
}

const workerGone: Verdict = {
  outcome: 'network_fail',
  code: 'WORKER_LOST',
  reason: 'The worker was shut down before the script ran.',
};

function busy(why: string): Verdict {
  return { outcome: 'internal_fail', code: 'WORKER_BUSY', reason: `${why}.` };
}
