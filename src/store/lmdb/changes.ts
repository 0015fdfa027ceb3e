import type { Database, Key } from 'lmdb';
import type { DatabaseName, Databases, KeyOf, ValueOf } from './databases.js';
import type { Recent } from './recent.js';

interface Change {
  key: Key;
  /** Undefined: the key goes. */
  value: unknown;
}

/** What a change replaced: undefined, nothing that this commit had brought. */
interface Undo {
  changes: Map<Key, Change>;
  name: Key;
  before: Change | undefined;
}

/** What a store's records are read from. */
export interface Source {
  get<Name extends DatabaseName>(name: Name, key: KeyOf<Name>): ValueOf<Name> | undefined;
}

/**
 * What one commit will write. Reads see what stands in the databases and, above that, what has been
 * changed here; so a whole commit's worth of calls is worked out before anything is written. Values
 * are not to be changed once they are here.
 */
export class Changes implements Source {
  readonly #databases: Databases;
  readonly #recent: Recent | undefined;
  readonly #changes = new Map<DatabaseName, Map<Key, Change>>();
  #undo: Undo[] = [];
  #size = 0;
  #bytes = 0;

  /** @param recent what the databases are known to have, without a look */
  constructor(databases: Databases, recent?: Recent) {
    this.#databases = databases;
    this.#recent = recent;
  }

  /** Of all changes, those included that were made again. */
  get size(): number {
    return this.#size;
  }

  /** Of specs, results and what else is bytes already: about what the commit will write. */
  get bytes(): number {
    return this.#bytes;
  }

  get<Name extends DatabaseName>(name: Name, key: KeyOf<Name>): ValueOf<Name> | undefined {
    const change = this.#changes.get(name)?.get(nameOf(key));
    const database = this.#databases[name] as Database<unknown, Key>;
    const value = change ? change.value : (this.#recent?.get(name, key) ?? database.get(key));
    return value as ValueOf<Name> | undefined;
  }

  put<Name extends DatabaseName>(name: Name, key: KeyOf<Name>, value: ValueOf<Name>): void {
    if (Buffer.isBuffer(value)) this.#bytes += value.length;
    this.#set(name, { key, value });
  }

  remove<Name extends DatabaseName>(name: Name, key: KeyOf<Name>): void {
    this.#set(name, { key, value: undefined });
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
      const database = this.#databases[name] as Database<unknown, Key>;
      for (const { key, value } of changes.values()) {
        if (value === undefined) void database.remove(key);
        else void database.put(key, value);
      }
    }
  }

  /** It is in the databases now. */
  committed(): void {
    if (!this.#recent) return;
    for (const [name, changes] of this.#changes) {
      for (const { key, value } of changes.values()) this.#recent.note(name, key, value);
    }
  }

  #set(database: DatabaseName, change: Change): void {
    let changes = this.#changes.get(database);
    if (!changes) {
      changes = new Map();
      this.#changes.set(database, changes);
    }
    const name = nameOf(change.key);
    this.#undo.push({ changes, name, before: changes.get(name) });
    changes.set(name, change);
    this.#size += 1;
  }
}

/** Equal for equal keys of one database. */
function nameOf(key: Key): Key {
  return Buffer.isBuffer(key) ? key.toString('latin1') : key;
}
