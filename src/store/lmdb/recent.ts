import type { Key } from 'lmdb';
import { lmdbStoreLimits } from '../limits.js';
import type { DatabaseName } from './databases.js';
import type { Head } from './records.js';

/** What is read again soon after it was written: a task is claimed and completed. */
type Kept = Extract<DatabaseName, 'tasks' | 'pending' | 'running'>;

/**
 * Values as the last commits wrote them, so that they need not be read and decoded: only for the one
 * process that writes. The oldest go first.
 */
export class Recent {
  readonly #values: Record<Kept, Map<Key, unknown>> = {
    tasks: new Map(),
    pending: new Map(),
    running: new Map(),
  };

  get(name: DatabaseName, key: Key): unknown {
    return isKept(name) ? this.#values[name].get(key) : undefined;
  }

  /** It has been committed. @param value undefined: the key has gone */
  note(name: DatabaseName, key: Key, value: unknown): void {
    if (!isKept(name)) return;
    const values = this.#values[name];
    values.delete(key);
    const isOver = name === 'tasks' && (value as Head | undefined)?.view.state === 'finished';
    if (value === undefined || isOver) return;
    values.set(key, value);
    if (values.size <= lmdbStoreLimits.recentMax) return;
    for (const oldest of values.keys()) {
      values.delete(oldest);
      break;
    }
  }

  /** A commit failed in a way that may not tell what is there now. */
  clear(): void {
    for (const values of Object.values(this.#values)) values.clear();
  }
}

function isKept(name: DatabaseName): name is Kept {
  return name === 'tasks' || name === 'pending' || name === 'running';
}
