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

/** A page that is asked for, or has just come; undefined: it cannot be had now. */
interface Look {
  page: Promise<ListedPage | undefined>;
  /** Say whether whoever looks still does. */
  wanted: (() => boolean)[];
}

/**
 * Pages that are looked at again and again. Whoever looks at what somebody else has just looked at
 * shares that page. There is one question at a time, and a rest after each that grows with what it
 * took: however many lists are followed, the controller has most of its time for other things. What
 * nobody wants any more when its turn comes is not asked.
 */
export class ListedPages {
  /** Those that are asked for, and those that came within `listEveryMs`. */
  readonly #looks = new Map<string, Look>();
  /** Fulfilled when the next question may be asked. */
  #turn: Promise<void> = Promise.resolve();

  /**
   * @param key names all that the page depends on
   * @param ask for it; not called where the page is shared. Undefined: it cannot be had now
   * @param isWanted false: whoever looks has gone
   */
  look(
    key: string,
    ask: () => Promise<TaskPage | undefined>,
    isWanted: () => boolean,
  ): { page: Look['page']; isShared: boolean } {
    const known = this.#looks.get(key);
    if (known) {
      known.wanted.push(isWanted);
      return { page: known.page, isShared: true };
    }
    const wanted = [isWanted];
    const page = this.#inTurn(ask, wanted).then((found) => found && listed(found));
    this.#looks.set(key, { page, wanted });
    const forget = () => void this.#looks.delete(key);
    page.then((found) => {
      if (found) setTimeout(forget, httpLimits.listEveryMs).unref();
      else forget();
    }, forget);
    return { page, isShared: false };
  }

  async #inTurn<T>(
    ask: () => Promise<T>,
    wanted: readonly (() => boolean)[],
  ): Promise<T | undefined> {
    const turn = this.#turn;
    let pass: () => void = () => undefined;
    this.#turn = new Promise((resolve) => {
      pass = resolve;
    });
    await turn;
    if (!wanted.some((is) => is())) {
      pass();
      return undefined;
    }
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
