import { errorCode, errorMessage } from '../errors.js';
import type { Log } from '../log.js';
import type { Claim, Completion, Requeue, TaskStore, Touch } from '../store/port.js';
import type { TaskView } from '../task.js';
import { controllerLimits } from './limits.js';

/**
 * What the controller has decided, on its way into the store, in order. What the store refuses (a full
 * disk) is handed in again until it takes it: a decision is not undone, and results stay with their
 * workers until they are durable.
 */
export class Ledger {
  readonly #store: TaskStore;
  readonly #log: Log;
  readonly #waiting: (() => void)[] = [];
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(store: TaskStore, log: Log) {
    this.#store = store;
    this.#log = log;
  }

  /** Batches that the store has refused and that are handed in again. */
  get behind(): number {
    return this.#waiting.length;
  }

  claim(claims: readonly Claim[], done: () => void): void {
    this.#write(() => this.#store.claim(claims), done);
  }

  requeue(requeues: readonly Requeue[], done: () => void): void {
    this.#write(() => this.#store.requeue(requeues), done);
  }

  touch(touches: readonly Touch[]): void {
    this.#write(
      () => this.#store.touch(touches),
      () => undefined,
    );
  }

  complete(completions: readonly Completion[], done: (views: TaskView[]) => void): void {
    this.#write(() => this.#store.complete(completions), done);
  }

  /** What waits stays with the workers, for the next controller. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
  }

  #write<T>(write: () => Promise<T>, done: (value: T) => void): void {
    // Nothing overtakes what waits: a claim comes before the end of its attempt.
    if (this.#waiting.length > 0) {
      this.#waiting.push(() => this.#attempt(write, done));
      return;
    }
    this.#attempt(write, done);
  }

  #attempt<T>(write: () => Promise<T>, done: (value: T) => void): void {
    write().then(
      (value) => {
        if (!this.#closed) done(value);
      },
      (error: unknown) => {
        if (this.#closed) return;
        this.#log.error(
          { err: error, code: errorCode(error) },
          `not stored: ${errorMessage(error)}`,
        );
        this.#waiting.push(() => this.#attempt(write, done));
        this.#retry ??= setTimeout(() => this.#again(), controllerLimits.storeRetryMs);
      },
    );
  }

  #again(): void {
    this.#retry = undefined;
    for (const attempt of this.#waiting.splice(0)) attempt();
  }
}
