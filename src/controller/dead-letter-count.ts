import type { Clock } from '../clock.js';
import type { Log } from '../log.js';
import type { TaskStore } from '../store/port.js';
import { controllerLimits } from './limits.js';

/** As an overview has it. Without `deadLetters` the store could not say. */
export interface DeadLetters {
  deadLetters?: number;
  deadLettersMore?: true;
}

/** How many dead letters there are, up to a number; looked at now and then, when somebody asks. */
export class DeadLetterCount {
  readonly #store: Pick<TaskStore, 'countDeadLetters'>;
  readonly #clock: Clock;
  readonly #log: Log;
  #counted: { letters: Promise<DeadLetters>; atMs: number } | undefined;

  constructor(store: Pick<TaskStore, 'countDeadLetters'>, clock: Clock, log: Log) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
  }

  /** Never rejected. */
  read(): Promise<DeadLetters> {
    const nowMs = this.#clock.monotonicMs();
    const { deadLettersCountedMs } = controllerLimits;
    if (!this.#counted || nowMs - this.#counted.atMs >= deadLettersCountedMs) {
      this.#counted = { letters: this.#count(), atMs: nowMs };
    }
    return this.#counted.letters;
  }

  async #count(): Promise<DeadLetters> {
    const most = controllerLimits.deadLettersCountedMax;
    try {
      // One more: there it stops.
      const found = await this.#store.countDeadLetters(most + 1);
      if (found <= most) return { deadLetters: found };
      return { deadLetters: most, deadLettersMore: true };
    } catch (error) {
      this.#log.error({ err: error }, 'dead letters could not be counted');
      return {};
    }
  }
}
