import { createHash } from 'node:crypto';
import type { TaskView } from '../task.js';
import type { TaskPage } from './controller-port.js';
import { httpLimits } from './limits.js';
import { taskJson } from './task-json.js';

/** A task of a list, as it is sent. */
export interface ListedTask {
  id: string;
  json: string;
  /** Of `json`: another one, when anything of the task has changed. */
  digest: string;
}

export interface ListedPage {
  tasks: readonly ListedTask[];
  next?: string | undefined;
}

/**
 * Pages that are looked at again and again. Whoever looks at what somebody else has just looked at
 * shares that page. There is one question at a time, and a rest after each that grows with what it
 * took: however many lists are followed, the controller has most of its time for other things.
 */
export class ListedPages {
  /** Those that are asked for, and those that came within `listEveryMs`. */
  readonly #pages = new Map<string, Promise<ListedPage>>();
  /** Fulfilled when the next question may be asked. */
  #turn: Promise<void> = Promise.resolve();

  /**
   * @param key names all that the page depends on
   * @param ask for it; not called where the page is shared
   */
  look(
    key: string,
    ask: () => Promise<TaskPage>,
  ): { page: Promise<ListedPage>; isShared: boolean } {
    const known = this.#pages.get(key);
    if (known) return { page: known, isShared: true };
    const page = this.#inTurn(ask).then(listed);
    this.#pages.set(key, page);
    const forget = () => void this.#pages.delete(key);
    page.then(() => setTimeout(forget, httpLimits.listEveryMs).unref(), forget);
    return { page, isShared: false };
  }

  async #inTurn<T>(ask: () => Promise<T>): Promise<T> {
    const turn = this.#turn;
    let pass: () => void = () => undefined;
    this.#turn = new Promise((resolve) => {
      pass = resolve;
    });
    await turn;
    const begunMs = performance.now();
    try {
      return await ask();
    } finally {
      const restMs = httpLimits.listRestFactor * (performance.now() - begunMs);
      setTimeout(pass, Math.min(restMs, httpLimits.listRestMsMax));
    }
  }
}

function listed({ tasks, next }: TaskPage): ListedPage {
  return { tasks: tasks.map(listedTask), ...(next !== undefined && { next }) };
}

function listedTask(task: TaskView): ListedTask {
  const json = JSON.stringify(taskJson(task));
  return { id: task.id, json, digest: createHash('sha256').update(json).digest('base64') };
}
