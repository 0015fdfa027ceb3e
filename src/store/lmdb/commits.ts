import type { Clock } from '../../clock.js';
import { ScriptdError } from '../../errors.js';
import { Histogram } from '../../histogram.js';
import { lmdbStoreLimits } from '../limits.js';
import type { CommitFigures } from '../port.js';
import { Changes } from './changes.js';
import type { Environment } from './environment.js';
import { causeOf, requireRoom, storeFault } from './faults.js';
import { Recent } from './recent.js';

interface Step {
  change: (changes: Changes) => unknown;
  sinceMs: number;
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
}

/** Upper ends of buckets. */
const commitSeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
const commitBatches = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024];

/**
 * Group commit. Steps that come within one turn, and those that come while a commit is under way,
 * become one transaction and one flush, off the event loop. One commit at a time: a step sees
 * everything that was acknowledged, and nothing that may still be refused.
 */
export class Commits {
  readonly #environment: Environment;
  readonly #clock: Clock;
  readonly #recent = new Recent();
  readonly figures: CommitFigures = {
    seconds: new Histogram(commitSeconds),
    batches: new Histogram(commitBatches),
    bytes: 0,
    failed: 0,
  };
  readonly #onTaken: (() => void) | undefined;
  #waiting: Step[] = [];
  #writing: Step[] = [];
  #running: Promise<void> | undefined;
  /** Of those that wait, one does not want to. */
  #urgent = false;
  /** Begins a commit of steps that can wait, once they have. */
  #timer: NodeJS.Timeout | undefined;
  /** Set for good once the environment can't be written any more. */
  #broken: ScriptdError | undefined;

  constructor(environment: Environment, clock: Clock, onTaken?: () => void) {
    this.#environment = environment;
    this.#clock = clock;
    this.#onTaken = onTaken;
  }

  get count(): number {
    return this.#waiting.length + this.#writing.length;
  }

  /** How long the oldest step has waited. */
  get oldestMs(): number {
    const oldest = this.#writing[0] ?? this.#waiting[0];
    return oldest ? this.#clock.monotonicMs() - oldest.sinceMs : 0;
  }

  /**
   * Fulfilled with what `change` returned, once that is durable. `change` is called later, and what
   * it throws is the rejection; nothing of it is written then.
   */
  add<T>(change: (changes: Changes) => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const sinceMs = this.#clock.monotonicMs();
      this.#waiting.push({ change, sinceMs, resolve: resolve as Step['resolve'], reject });
      this.#begin();
    });
  }

  /**
   * As `add`, of what nobody waits for: it goes with the next commit, and begins one by itself only
   * when none has come for `lazyCommitMs`.
   */
  addLazily<T>(change: (changes: Changes) => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const sinceMs = this.#clock.monotonicMs();
      this.#waiting.push({ change, sinceMs, resolve: resolve as Step['resolve'], reject });
      this.#timer ??= setTimeout(() => this.#begin(), lmdbStoreLimits.lazyCommitMs);
    });
  }

  /** Resolves once nothing waits. */
  async settled(): Promise<void> {
    if (this.#waiting.length > 0) this.#begin();
    await this.#running;
  }

  #begin(): void {
    this.#urgent = true;
    // After this turn's other calls: they come in the same run of JavaScript.
    this.#running ??= Promise.resolve().then(() => this.#run());
  }

  async #run(): Promise<void> {
    while (this.#urgent) {
      this.#urgent = false;
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#writing = this.#waiting;
      this.#waiting = [];
      await this.#commit(this.#writing);
      this.#writing = [];
    }
    this.#running = undefined;
  }

  async #commit(steps: readonly Step[]): Promise<void> {
    const changes = new Changes(this.#environment.databases, this.#recent);
    const done: (() => void)[] = [];
    const begun: Step[] = [];
    for (const step of steps) {
      try {
        const value = changes.step(() => step.change(changes));
        done.push(() => step.resolve(value));
        begun.push(step);
      } catch (error) {
        step.reject(error);
      }
    }
    const fault = changes.size > 0 ? await this.#measured(changes, begun.length) : undefined;
    if (fault) for (const { reject } of begun) reject(fault);
    else for (const acknowledge of done) acknowledge();
  }

  async #measured(changes: Changes, batches: number): Promise<ScriptdError | undefined> {
    const { figures } = this;
    const startMs = this.#clock.monotonicMs();
    const fault = await this.#write(changes);
    if (fault) {
      figures.failed++;
      return fault;
    }
    figures.seconds.observe((this.#clock.monotonicMs() - startMs) / 1000);
    figures.batches.observe(batches);
    figures.bytes += changes.bytes;
    return undefined;
  }

  async #write(changes: Changes): Promise<ScriptdError | undefined> {
    if (this.#broken) return this.#broken;
    const { directory } = this.#environment;
    try {
      // Before LMDB finds out: where a write(2) fails, lmdb-js 3.5.6 prints into a buffer that is too
      // short (mdb.c, mdb_page_flush), which may end the process. A value takes up to two pages.
      requireRoom(directory, 2 * changes.bytes);
      if (await this.#environment.commit(() => changes.write())) {
        changes.committed();
        return undefined;
      }
      this.#broken = new ScriptdError(
        'STORE_TAKEN',
        `another process has opened the store in ${directory} for writing`,
      );
      this.#onTaken?.();
      return this.#broken;
    } catch (failure) {
      this.#recent.clear();
      const fault = storeFault(await causeOf(failure), directory);
      this.#broken = this.#probe();
      return this.#broken ?? fault;
    }
  }

  /**
   * After a failure: whether another transaction can begin. When the meta page could not be written
   * LMDB allows no more (MDB_PANIC), and lmdb-js's own thread would wait for ever.
   */
  #probe(): ScriptdError | undefined {
    const { root, directory } = this.#environment;
    try {
      root.transactionSync(() => undefined);
      return undefined;
    } catch (error) {
      return storeFault(error, directory);
    }
  }
}
