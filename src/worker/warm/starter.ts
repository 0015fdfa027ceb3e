import { errorMessage } from '../../errors.js';
import type { Log } from '../../log.js';
import type { Poller } from '../../poll/poller.js';
import type { Demand, Isolation } from '../enclosure.js';
import { workerLimits } from '../limits.js';
import type { ExecuteMessage } from '../queue.js';
import type { ProcessRuntime } from '../runtimes/runtime.js';
import { startProcess } from '../sandbox.js';
import type { ForkServers } from './fork-servers.js';
import { preparedMax } from './plan.js';
import { Pool } from './pool.js';
import { type Open, Prepared } from './prepared.js';

export interface StarterOptions {
  runtime: ProcessRuntime;
  isolation: Isolation;
  poller: Poller;
  log: Log;
  /** Processes held ready for one sort of demand: never more. */
  readyMax: number;
  /** Absent where the runtime has none, or the isolation. */
  forkServers?: ForkServers;
  /** Monotonic. */
  nowMs: () => number;
}

/**
 * Where runs get their processes from. For each sort of demand a pool of prepared ones is kept, as
 * many as were wanted at once lately; where it is empty a process is started at once, and no run is
 * refused for it.
 */
export class Starter {
  readonly #options: StarterOptions;
  /** By `Isolation.keyOf`; the one used last is the last. */
  readonly #pools = new Map<string, Pool>();
  readonly #discarded = new Set<Prepared>();
  #running = 0;
  /** Scripts that found a prepared process, and that had theirs started for them. */
  warmStarts = 0;
  coldStarts = 0;
  #refill: NodeJS.Immediate | undefined;
  #sweep: NodeJS.Timeout | undefined;
  #closed = false;
  #onSettled: (() => void) | undefined;

  constructor(options: StarterOptions) {
    this.#options = options;
    this.#sweep = setInterval(() => this.#level(), workerLimits.demandMs);
    this.#sweep.unref();
  }

  /** A process for this task: a prepared one where there is one. @throws as `Isolation.enclose` */
  take(task: ExecuteMessage): Prepared {
    const { runtime, isolation } = this.#options;
    this.#running += 1;
    const demand = isolation.canPrepare(runtime) ? demandOf(runtime, task) : undefined;
    // A task with variables of its own that count at the start is no sort of demand.
    const key = demand && !demand.env ? isolation.keyOf(runtime, demand) : undefined;
    // Of a sort that is new nobody knows yet whether another task will demand it.
    const wanted = key !== undefined && this.#pools.has(key) ? this.#running : 1;
    const pool = demand && key !== undefined ? this.#pool(key, demand) : undefined;
    const prepared = pool?.take(wanted);
    if (prepared) {
      this.warmStarts += 1;
      return prepared;
    }
    this.coldStarts += 1;
    return demand ? this.#open(demand, undefined, false) : this.#start(task);
  }

  /** A process that is started for this task alone, after a prepared one has failed. */
  start(task: ExecuteMessage): Prepared {
    this.#running += 1;
    return this.#start(task);
  }

  /** The process of a run has ended. */
  ended(): void {
    this.#running -= 1;
    this.#refillSoon();
  }

  /** Makes processes ready for tasks that demand nothing out of the ordinary. */
  warm(demand: Demand): void {
    const { runtime, isolation } = this.#options;
    if (!isolation.canPrepare(runtime)) return;
    this.#pool(isolation.keyOf(runtime, demand), demand);
    this.#refillSoon();
  }

  /** What was to be made ready is, or nothing can be. */
  get isWarm(): boolean {
    const { forkServers } = this.#options;
    if (forkServers && !forkServers.ready) return false;
    return [...this.#pools.values()].every(({ size }) => size > 0);
  }

  get ready(): number {
    let ready = 0;
    for (const pool of this.#pools.values()) ready += pool.size;
    return ready;
  }

  /** Ends all that waits. Resolves when nothing is left of it. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#sweep);
    clearImmediate(this.#refill);
    for (const pool of this.#pools.values()) pool.drain();
    this.#pools.clear();
    if (this.#discarded.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onSettled = resolve;
      });
    }
    this.#options.forkServers?.close();
  }

  #start(task: ExecuteMessage): Prepared {
    const { runtime, isolation } = this.#options;
    const demand = demandOf(runtime, task);
    const alone = isolation.canPrepare(runtime) ? undefined : task;
    return this.#openBy(startNow, demand, alone, false);
  }

  #open(demand: Demand, task: ExecuteMessage | undefined, isWarm: boolean): Prepared {
    const forkServer = demand.env ? undefined : this.#options.forkServers?.ready;
    const open: Open = forkServer ? (...args) => forkServer.open(...args) : startNow;
    return this.#openBy(open, demand, task, isWarm || forkServer !== undefined);
  }

  #openBy(open: Open, demand: Demand, task: ExecuteMessage | undefined, isWarm: boolean): Prepared {
    const { runtime, isolation } = this.#options;
    return new Prepared(isolation.enclose(runtime, demand, task), open, isWarm);
  }

  #pool(key: string, demand: Demand): Pool {
    let pool = this.#pools.get(key);
    if (pool) {
      this.#pools.delete(key);
    } else {
      const { readyMax, nowMs } = this.#options;
      pool = new Pool({
        readyMax,
        nowMs,
        prepare: () => this.#open(demand, undefined, true),
        discard: (prepared) => this.#discard(prepared),
      });
    }
    this.#pools.set(key, pool);
    return pool;
  }

  /** After what is at hand: the result of a run goes out first. */
  #refillSoon(): void {
    if (this.#closed || this.#refill) return;
    this.#refill = setImmediate(() => {
      this.#refill = undefined;
      this.#level();
    });
  }

  #level(): void {
    if (this.#closed) return;
    const nowMs = this.#options.nowMs();
    const keys = [...this.#pools.keys()];
    for (const key of keys.slice(0, -workerLimits.poolsMax)) this.#drop(key);
    for (const [key, pool] of [...this.#pools].slice(0, -1)) {
      // The one used last stays, however long ago.
      if (nowMs - pool.usedAtMs >= workerLimits.demandMs) this.#drop(key);
    }
    try {
      // Those used last first: where many sorts are demanded there is not room for all.
      for (const pool of [...this.#pools.values()].reverse()) pool.level(this.#room());
    } catch (error) {
      // A run that finds none is started without: it will say what is wrong, if it still is.
      this.#options.log.warn({ err: error }, `no process made ready: ${errorMessage(error)}`);
    }
  }

  /**
   * Prepared processes that there may be beside those that wait or are on their way out: what runs may
   * have at once beside them is never taken.
   */
  #room(): number {
    return preparedMax(this.#options.readyMax) - this.ready - this.#discarded.size;
  }

  #drop(key: string): void {
    this.#pools.get(key)?.drain();
    this.#pools.delete(key);
  }

  #discard(prepared: Prepared): void {
    this.#discarded.add(prepared);
    prepared.discard(this.#options.poller, (error) => {
      this.#discarded.delete(prepared);
      if (error) this.#options.log.error({ err: error }, 'a prepared process cannot be ended');
      if (this.#discarded.size === 0) this.#onSettled?.();
      // There is room for another.
      this.#refillSoon();
    });
  }
}

const startNow: Open = ({ plan }, opened, failed) => {
  let process: ReturnType<typeof startProcess>;
  try {
    process = startProcess(plan);
  } catch (error) {
    failed(error);
    return;
  }
  opened(process);
};

function demandOf(runtime: ProcessRuntime, task: ExecuteMessage): Demand {
  const { limits, network = 'none', env = {} } = task;
  const pattern = runtime.bootstrap?.startVariables;
  const early = pattern ? Object.entries(env).filter(([name]) => pattern.test(name)) : [];
  return { limits, network, ...(early.length > 0 && { env: Object.fromEntries(early) }) };
}
