import { signal } from '@preact/signals';
import { askJson } from '../api/http.js';
import { sentenceOf } from '../api/problem.js';

/** Requests under way at once: many tasks are not to crowd out everybody else's. */
const atOnceMax = 8;

/** Tasks that could not be sent again for the same reason. */
export interface Failure {
  sentence: string;
  ids: string[];
}

/** Many tasks being sent again, one request for each. */
export class Resending {
  readonly total: number;
  readonly done = signal(0);
  readonly failures = signal<readonly Failure[]>([]);
  readonly state = signal<'going' | 'stopped' | 'done'>('going');
  readonly #left: string[];

  constructor(ids: readonly string[]) {
    this.total = ids.length;
    this.#left = [...ids];
  }

  /** Sent again so far. */
  get sent(): number {
    return this.done.value - this.failures.value.reduce((sum, { ids }) => sum + ids.length, 0);
  }

  /** @param onSent with the id of each that was sent again */
  async run(onSent: (id: string) => void): Promise<void> {
    const workers = Array.from({ length: atOnceMax }, () => this.#work(onSent));
    await Promise.all(workers);
    if (this.state.value === 'going') this.state.value = 'done';
  }

  /** What is under way comes to its end; nothing more is begun. */
  stop(): void {
    if (this.state.value === 'going') this.state.value = 'stopped';
  }

  async #work(onSent: (id: string) => void): Promise<void> {
    for (let id = this.#next(); id !== undefined; id = this.#next()) {
      try {
        await askJson(`/v1/tasks/${encodeURIComponent(id)}/retry`, { method: 'POST' });
        onSent(id);
      } catch (error) {
        this.#fail(id, sentenceOf(error));
      }
      this.done.value += 1;
    }
  }

  #next(): string | undefined {
    return this.state.value === 'going' ? this.#left.shift() : undefined;
  }

  #fail(id: string, sentence: string): void {
    const others = this.failures.value.filter((failure) => failure.sentence !== sentence);
    const same = this.failures.value.find((failure) => failure.sentence === sentence);
    this.failures.value = [...others, { sentence, ids: [...(same?.ids ?? []), id] }];
  }
}
