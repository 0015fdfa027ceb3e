import type { MessageOf } from '../wire/messages.js';
import type { Figures } from './figures.js';
import { controllerLimits } from './limits.js';

type Told = Omit<MessageOf<'vitals'>, 'kind'>;

/** What workers told of themselves last, by name. */
export class WorkerVitals {
  readonly #figures: Figures;
  /** That of a worker which is away stays: when it is back, it counts on. */
  readonly #last = new Map<string, Told>();

  constructor(figures: Figures) {
    this.#figures = figures;
  }

  take(name: string, type: string, told: Told): void {
    const before = this.#last.get(name);
    const isSame = before?.vitals.pid === told.vitals.pid && before.coldStarts <= told.coldStarts;
    const figures = this.#figures.of(type);
    // The counts of a worker begin anew with its process; ours go on.
    const counted = isSame ? before : { warmStarts: 0, coldStarts: 0 };
    figures.warmStarts += Math.max(0, told.warmStarts - counted.warmStarts);
    figures.coldStarts += Math.max(0, told.coldStarts - counted.coldStarts);
    this.#last.delete(name);
    this.#last.set(name, told);
    const [longestSilent] = this.#last.keys();
    if (this.#last.size > controllerLimits.workersMax && longestSilent !== undefined) {
      this.#last.delete(longestSilent);
    }
  }

  /** Undefined until it has said something. */
  get(name: string): Told | undefined {
    return this.#last.get(name);
  }
}
