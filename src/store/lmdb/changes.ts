import type { Bytes, DatabaseName, Databases } from './databases.js';

interface Change {
  key: Buffer;
  /** Undefined: the key goes. */
  value: Buffer | undefined;
}

/** What a change replaced: undefined, nothing that this commit had brought. */
interface Undo {
  changes: Map<string, Change>;
  name: string;
  before: Change | undefined;
}

/**
 * What one commit will write. Reads see what stands in the databases and, above that, what has been
 * changed here; so a whole commit's worth of calls is worked out before anything is written.
 */
export class Changes {
  readonly #databases: Databases;
  readonly #changes = new Map<DatabaseName, Map<string, Change>>();
  #undo: Undo[] = [];

  constructor(databases: Databases) {
    this.#databases = databases;
  }

  get size(): number {
    let size = 0;
    for (const changes of this.#changes.values()) size += changes.size;
    return size;
  }

  get(database: DatabaseName, key: Buffer): Buffer | undefined {
    const change = this.#changes.get(database)?.get(key.toString('latin1'));
    return change ? change.value : this.#databases[database].get(key);
  }

  put(database: DatabaseName, key: Buffer, value: Buffer): void {
    this.#set(database, { key, value });
  }

  remove(database: DatabaseName, key: Buffer): void {
    this.#set(database, { key, value: undefined });
  }

  /** Runs a step; when it throws, nothing of what it changed stays. */
  step<T>(change: () => T): T {
    this.#undo = [];
    try {
      return change();
    } catch (error) {
      for (const { changes, name, before } of this.#undo.reverse()) {
        if (before) changes.set(name, before);
        else changes.delete(name);
      }
      throw error;
    } finally {
      this.#undo = [];
    }
  }

  /** Hands everything to the transaction that is open. */
  write(): void {
    for (const [name, changes] of this.#changes) {
      const database: Bytes = this.#databases[name];
      for (const { key, value } of changes.values()) {
        if (value) void database.put(key, value);
        else void database.remove(key);
      }
    }
  }

  #set(database: DatabaseName, change: Change): void {
    let changes = this.#changes.get(database);
    if (!changes) {
      changes = new Map();
      this.#changes.set(database, changes);
    }
    const name = change.key.toString('latin1');
    this.#undo.push({ changes, name, before: changes.get(name) });
    changes.set(name, change);
  }
}
