import { type Signal, signal } from '@preact/signals';
import type { Explanation, Task } from '../../src/client/task.js';
import { follow } from '../api/events.js';
import { askJson } from '../api/http.js';
import { ApiError, sentenceOf } from '../api/problem.js';
import { serviceNowMs } from '../service/now.js';
import { LiveOutput, type Piece } from '../verdict/live-output.js';

/** What an attempt writes while somebody looks. */
export interface AttemptOutput {
  attempt: number;
  stdout: LiveOutput;
  stderr: LiveOutput;
}

type OutputEvent = Piece & { attempt: number };

/**
 * One task while somebody looks at it. One that has not ended is followed, its output with it; of one
 * that has, only what is no output is asked for: that is paged (`StoredOutput`).
 *
 *     explain ─┬─ pending, running ─▶ events: states, output ─▶ end
 *              └─ finished ─────────▶ events after the output ─▶ end
 */
export class TaskWatch {
  readonly id: string;
  readonly task: Signal<Task | undefined> = signal(undefined);
  /** Why it is where it is. */
  readonly explanation: Signal<Explanation | undefined> = signal(undefined);
  /** When that was told, by the service's clock: milliseconds since 1970. */
  explainedMs = 0;
  /** Undefined for a task that had ended before somebody looked. */
  readonly output: Signal<AttemptOutput | undefined> = signal(undefined);
  /** What is wrong: '' is well. */
  readonly fault = signal('');
  /** The service knows no such task, in its own words; '' as long as it does. */
  readonly unknown = signal('');
  #ending = new AbortController();
  #end: () => void = () => undefined;
  #hasEnded = false;
  /** Whether the task is being asked for, and whether it has changed since. */
  #look: 'idle' | 'asking' | 'again' = 'idle';

  constructor(id: string) {
    this.id = id;
  }

  /** Begins to be live; anew with the task that was sent again. */
  start(task?: Task): void {
    this.stop();
    if (task) this.task.value = task;
    this.#ending = new AbortController();
    this.output.value = undefined;
    this.#hasEnded = false;
    this.#look = 'idle';
    void this.#begin(this.#ending.signal);
  }

  stop(): void {
    this.#ending.abort();
    this.#end();
  }

  /** Asks again why it is where it is. */
  async explain(): Promise<void> {
    const { signal } = this.#ending;
    try {
      const explanation = await askJson<Explanation>(`${this.#path}/explain`, { signal });
      if (signal.aborted) return;
      this.explainedMs = serviceNowMs();
      this.explanation.value = explanation;
      this.fault.value = '';
    } catch (error) {
      if (!signal.aborted) this.#failed(error);
    }
  }

  get #path(): string {
    return `/v1/tasks/${encodeURIComponent(this.id)}`;
  }

  async #begin(signal: AbortSignal): Promise<void> {
    await this.explain();
    if (signal.aborted || this.unknown.value !== '') return;
    const explanation = this.explanation.value;
    // What comes after this event is the end only, without the output.
    const attempt = Number(explanation?.attempt ?? 0);
    const after = explanation?.state === 'finished' ? `?lastEventId=${attempt}-finished-0-0` : '';
    this.#end = follow(`${this.#path}/events${after}`, {
      onEvent: (name, data) => this.#onEvent(name, data),
      onFault: (fault) => {
        this.fault.value = fault;
      },
    });
  }

  #onEvent(name: string, data: unknown): void {
    if (name === 'state') void this.#lookAgain();
    else if (name === 'stdout' || name === 'stderr') {
      const piece = data as OutputEvent;
      this.#outputOf(piece.attempt)[name].add(piece);
    } else if (name === 'end') {
      this.output.value?.stdout.end();
      this.output.value?.stderr.end();
      this.#hasEnded = true;
      this.task.value = data as Task;
      this.#end();
    }
  }

  /** Asks for the task; of what changes meanwhile, once more at its end. */
  async #lookAgain(): Promise<void> {
    if (this.#look !== 'idle') {
      this.#look = 'again';
      return;
    }
    const { signal } = this.#ending;
    try {
      do {
        this.#look = 'asking';
        const task = await askJson<Task>(this.#path, { signal });
        if (signal.aborted) return;
        this.#see(task);
        // Changed by another call meanwhile, which the compiler does not see.
      } while ((this.#look as string) === 'again');
    } catch (error) {
      if (signal.aborted) return;
      this.#failed(error);
    }
    this.#look = 'idle';
  }

  /** The end of a task comes as an event, after all of its output. */
  #see(task: Task): void {
    if (this.#hasEnded || task.state === 'finished') return;
    this.task.value = task;
    if (task.attempt > 0) this.#outputOf(task.attempt);
  }

  /** Each attempt begins anew. */
  #outputOf(attempt: number): AttemptOutput {
    const current = this.output.value;
    if (current && current.attempt >= attempt) return current;
    const output = { attempt, stdout: new LiveOutput(), stderr: new LiveOutput() };
    this.output.value = output;
    return output;
  }

  #failed(error: unknown): void {
    const isUnknown = error instanceof ApiError && (error.status === 404 || error.status === 400);
    (isUnknown ? this.unknown : this.fault).value = sentenceOf(error);
  }
}
