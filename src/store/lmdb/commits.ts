import type { Clock } from '../../clock.js';
import { Histogram } from '../../histogram.js';
import { lmdbStoreLimits } from '../limits.js';
import type { CommitFigures } from '../port.js';
import { Changes } from './changes.js';
import { Checkpoints, type CheckpointsOptions } from './checkpoints.js';
import type { Source } from './layer.js';

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
 * become one commit and one flush, off the event loop. One commit at a time: a step sees everything
 * that was acknowledged, and nothing that may still be refused.
 */
export class Commits {
  readonly #clock: Clock;
  readonly #checkpoints: Checkpoints;
  readonly figures: CommitFigures = {
    seconds: new Histogram(commitSeconds),
    batches: new Histogram(commitBatches),
    bytes: 0,
    failed: 0,
  };
  #waiting: Step[] = [];
  #writing: Step[] = [];
  #running: Promise<void> | undefined;
  /** Of those that wait, one does not want to. */
  #urgent = false;
  /** Begins a commit of steps that can wait, once they have. */
  #timer: NodeJS.Timeout | undefined;

  constructor(clock: Clock, options: CheckpointsOptions) {
    this.#clock = clock;
    this.#checkpoints = new Checkpoints(options);
  }

  get count(): number {
    return this.#waiting.length + this.#writing.length;
  }

  /** How long the oldest step has waited. */
  get oldestMs(): number {
    const oldest = this.#writing[0] ?? this.#waiting[0];
    return oldest ? this.#clock.monotonicMs() - oldest.sinceMs : 0;
  }

  /** Everything that was acknowledged. */
  get acknowledged(): Source {
    return this.#checkpoints.memtables;
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

  /**
   * Resolves once the databases themselves have all that was acknowledged.
   *
   * @throws ScriptdError STORE_FULL and the other codes of a store
   */
  checkpoint(): Promise<void> {
    return this.#checkpoints.checkpoint();
  }

  /** Waits for what was handed in, and lets go of the journal. */
  async close(): Promise<void> {
    if (this.#waiting.length > 0) this.#begin();
    await this.#running;
    await this.#checkpoints.close();
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
    const changes = new Changes(this.acknowledged);
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
    const { layer } = changes;
    const fault = layer.size > 0 ? await this.#measured(layer, begun.length) : undefined;
    if (fault) for (const { reject } of begun) reject(fault);
    else for (const acknowledge of done) acknowledge();
  }

  async #measured(layer: Changes['layer'], batches: number) {
    const { figures } = this;
    const startMs = this.#clock.monotonicMs();
    const fault = await this.#checkpoints.write(layer);
    if (fault) {
      figures.failed++;
      return fault;
    }
    figures.seconds.observe((this.#clock.monotonicMs() - startMs) / 1000);
    figures.batches.observe(batches);
    figures.bytes += layer.bytes;
    return undefined;
  }
}
