import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { isFinished, type Scriptd, ServiceError, type TaskSpec } from '../../client/index.js';
import { clientLimits } from '../../client/limits.js';
import { ScriptdError } from '../../errors.js';
import { benchLimits } from './limits.js';
import type { Tally } from './tally.js';
import { type Pace, type Turn, Turns } from './turns.js';

export interface LoadOptions {
  spec: TaskSpec;
  pace: Pace;
  /** Requests in flight at once. */
  clients: number;
  /** One request to the batch endpoint for several tasks, rather than one for each. */
  isBatch: boolean;
}

/** Refused for now: later tasks may be taken. Anything else that is refused is so for good. */
const passing = (error: ServiceError) => error.status === 429 || error.status >= 500;

/** Tasks on their way to a service, a fixed number of requests at once. */
export class Load {
  readonly #client: Scriptd;
  readonly #options: LoadOptions;
  readonly #tally: Tally;
  readonly #stop = new AbortController();
  readonly #abandon = new AbortController();
  #fault: ScriptdError | undefined;
  #inFlight = 0;
  #requests = 0;
  #requestsMax = 0;

  constructor(client: Scriptd, options: LoadOptions, tally: Tally) {
    this.#client = client;
    this.#options = options;
    this.#tally = tally;
    // Each client listens.
    setMaxListeners(0, this.#stop.signal, this.#abandon.signal);
  }

  /** Tasks that were sent and have not ended. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** The most requests that were in flight at once. */
  get requestsMax(): number {
    return this.#requestsMax;
  }

  /** Why it ended before its time; undefined when it did not. */
  get fault(): ScriptdError | undefined {
    return this.#fault;
  }

  /** Sends no more; what is in flight goes on. */
  stop(): void {
    this.#stop.abort();
  }

  /** Waits for nothing any more. */
  abandon(): void {
    this.#stop.abort();
    this.#abandon.abort();
  }

  /** Until everything that was sent has ended, or something ends it: `fault`. */
  async run(): Promise<void> {
    const turns = new Turns(this.#options.pace, performance.now());
    const clients = Array.from({ length: this.#options.clients }, () => this.#work(turns));
    await Promise.all(clients);
  }

  async #work(turns: Turns): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const turn = turns.take(performance.now());
      if (!turn) return;
      if (turn.dueMs !== undefined) await this.#pause(turn.dueMs - performance.now());
      if (this.#stop.signal.aborted) return;
      await this.#send(turn);
    }
  }

  /** Ends early when nothing more is sent. */
  async #pause(ms: number): Promise<void> {
    if (ms <= 0) return;
    try {
      await sleep(Math.ceil(ms), undefined, { signal: this.#stop.signal });
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error;
    }
  }

  async #send(turn: Turn): Promise<void> {
    this.#inFlight += turn.tasks;
    let open = turn.tasks;
    this.#requestsMax = Math.max(this.#requestsMax, ++this.#requests);
    const settle = () => {
      open--;
      this.#inFlight--;
    };
    try {
      if (this.#options.isBatch) await this.#sendBatch(turn, settle);
      else await this.#sendOne(turn, settle);
      if (open > 0) throw new ScriptdError('BAD_ANSWER', `${open} tasks were never answered`);
    } catch (error) {
      this.#inFlight -= open;
      await this.#failed(error, open);
    } finally {
      this.#requests--;
    }
  }

  async #sendOne({ dueMs }: Turn, settle: () => void): Promise<void> {
    const sentMs = performance.now();
    const times = { dueMs: dueMs ?? sentMs, sentMs };
    const task = await this.#client.run(this.#options.spec, { signal: this.#abandon.signal });
    settle();
    this.#tally.ended(task, { ...times, endedMs: performance.now() });
  }

  async #sendBatch({ tasks, dueMs }: Turn, settle: () => void): Promise<void> {
    const sentMs = performance.now();
    const times = { dueMs: dueMs ?? sentMs, sentMs };
    const specs = Array.from({ length: tasks }, () => this.#options.spec);
    const options = { waitSeconds: benchLimits.waitSeconds, signal: this.#abandon.signal };
    for await (const told of this.#client.batch(specs, options)) {
      if ('error' in told) {
        settle();
        await this.#failed(new ServiceError({ ...told.error, status: told.status }), 1);
      } else if (isFinished(told.task)) {
        settle();
        this.#tally.ended(told.task, { ...times, endedMs: performance.now() });
      }
    }
  }

  /** Counts it; what would befall all others, too, ends everything. */
  async #failed(error: unknown, tasks: number): Promise<void> {
    if (!(error instanceof ScriptdError)) {
      if (!this.#abandon.signal.aborted) throw error;
      this.#tally.notEnded(new Error('its end was not waited for'), tasks);
      return;
    }
    this.#tally.notEnded(error, tasks);
    const { retryAfterMs = 0 } = error as Partial<ServiceError>;
    if (
      error instanceof ServiceError &&
      passing(error) &&
      retryAfterMs <= clientLimits.retryAfterMsMax
    ) {
      await this.#pause(retryAfterMs);
      return;
    }
    this.#fault ??= error;
    this.abandon();
  }
}
