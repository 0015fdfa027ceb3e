import { errorMessage } from '../../errors.js';
import type { Log } from '../../log.js';
import type { TaskStore } from '../../store/port.js';
import type { TaskView } from '../../task.js';
import type { Exporter } from './exporter.js';
import { spansOf } from './spans.js';

/** Makes spans of finished tasks, and has them sent. Never the reason why a task waits or fails. */
export class Tracer {
  readonly #exporter: Exporter;
  readonly #store: TaskStore;
  readonly #log: Log;

  constructor(exporter: Exporter, store: TaskStore, log: Log) {
    this.#exporter = exporter;
    this.#store = store;
    this.#log = log;
  }

  /** Spans that a collector took, and that none got. */
  get exported(): number {
    return this.#exporter.exported;
  }

  get dropped(): number {
    return this.#exporter.dropped;
  }

  finished(task: TaskView): void {
    // What the caller's trace was stands in the spec.
    this.#store.readSpec(task.id).then(
      (spec) => this.#exporter.add(spansOf(task, spec ?? {})),
      (error: unknown) => {
        this.#log.warn({ task: task.id }, `no spans of task ${task.id}: ${errorMessage(error)}`);
      },
    );
  }
}
