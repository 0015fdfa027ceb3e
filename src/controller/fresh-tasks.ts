import type { Submission } from '../store/port.js';
import { controllerLimits } from './limits.js';

interface Fresh {
  submission: Submission;
  bytes: number;
}

/**
 * The newest tasks that have not been dispatched yet: most tasks are soon after they were submitted,
 * and then need not be read from the store. The oldest go first when there are too many.
 */
export class FreshTasks {
  readonly #tasks = new Map<string, Fresh>();
  #bytes = 0;

  /** @param bytes about what it holds */
  add(submission: Submission, bytes: number): void {
    const { freshTasksMax, freshBytesMax } = controllerLimits;
    this.#tasks.set(submission.view.id, { submission, bytes });
    this.#bytes += bytes;
    for (const id of this.#tasks.keys()) {
      if (this.#tasks.size <= freshTasksMax && this.#bytes <= freshBytesMax) break;
      this.take(id);
    }
  }

  /** Undefined: it has been taken, or had to go. */
  take(taskId: string): Submission | undefined {
    const fresh = this.#tasks.get(taskId);
    if (!fresh) return undefined;
    this.#tasks.delete(taskId);
    this.#bytes -= fresh.bytes;
    return fresh.submission;
  }
}
