import type { TaskView } from '../task.js';
import { storeLimits } from './limits.js';

/**
 * One page's search for a text in tasks: large and small letters are the same. It reads scripts, so
 * it ends sooner than a page that only looks at rows.
 */
export class TextSearch {
  readonly #text: string;
  #tasks = 0;
  #bytes = 0;

  constructor(text: string) {
    this.#text = text.toLowerCase();
  }

  /**
   * Counts a task that is about to be looked at. False: the page ends before it; the first of a page
   * always may be, however large.
   *
   * @param bytes of its spec
   */
  admits(bytes: number): boolean {
    const { searchTasksMax, searchBytesMax } = storeLimits;
    const isTooMuch = this.#tasks >= searchTasksMax || this.#bytes + bytes > searchBytesMax;
    if (this.#tasks > 0 && isTooMuch) return false;
    this.#tasks += 1;
    this.#bytes += bytes;
    return true;
  }

  /** @param code gives the script, where the task itself has not the text */
  finds(task: TaskView, code: () => string | undefined): boolean {
    const { id, group, tags, worker, code: verdict, reason } = task;
    return [id, group, worker, verdict, reason, ...tags].some(this.#isIn) || this.#isIn(code());
  }

  readonly #isIn = (text: string | undefined): boolean =>
    text?.toLowerCase().includes(this.#text) ?? false;
}
