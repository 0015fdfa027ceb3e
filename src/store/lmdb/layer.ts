import type { Database, Key } from 'lmdb';
import { asBinary } from 'lmdb';
import {
  type DatabaseName,
  type Databases,
  encoderOf,
  type KeyOf,
  type ValueOf,
} from './databases.js';

/** What becomes of a key. */
export interface Change {
  key: Key;
  /** Undefined: the key goes. */
  value: unknown;
  /** `value` as it is stored, once that has been worked out. */
  bytes?: Buffer;
}

/** What a store's records are read from. */
export interface Source {
  get<Name extends DatabaseName>(name: Name, key: KeyOf<Name>): ValueOf<Name> | undefined;
}

/** Nothing but what the databases have. */
export function sourceOf(databases: Databases): Source {
  return {
    get: (name, key) => (databases[name] as Database<unknown, Key>).get(key) as never,
  };
}

/** Changes of many keys, the last of each; they stand above what the databases have. */
export class Layer {
  readonly #databases = new Map<DatabaseName, Map<Key, Change>>();
  #size = 0;
  #bytes = 0;

  /** Of all changes, those included that were made again. */
  get size(): number {
    return this.#size;
  }

  /** Of specs, results and what else is bytes already: about what writing it takes. */
  get bytes(): number {
    return this.#bytes;
  }

  get(name: DatabaseName, key: Key): Change | undefined {
    return this.#databases.get(name)?.get(nameOf(key));
  }

  /** @returns how to undo it, once what came after it is undone */
  set(name: DatabaseName, change: Change): () => void {
    const changes = this.#changesOf(name);
    const keyName = nameOf(change.key);
    const before = changes.get(keyName);
    const [size, bytes] = [this.#size, this.#bytes];
    this.#set(changes, keyName, change);
    return () => {
      this.#size = size;
      this.#bytes = bytes;
      if (before) changes.set(keyName, before);
      else changes.delete(keyName);
    };
  }

  /** Puts what another layer has above this. */
  absorb(other: Layer): void {
    for (const [name, changes] of other.#databases) {
      const own = this.#changesOf(name);
      for (const [keyName, change] of changes) this.#set(own, keyName, change);
    }
  }

  *[Symbol.iterator](): Iterator<[DatabaseName, Change]> {
    for (const [name, changes] of this.#databases) {
      for (const change of changes.values()) yield [name, change];
    }
  }

  /** Hands everything to the transaction that is open. */
  write(databases: Databases): void {
    for (const [name, change] of this) {
      const database = databases[name] as Database<unknown, Key>;
      if (change.value === undefined) void database.remove(change.key);
      else void database.put(change.key, asBinary(storedBytes(name, change)));
    }
  }

  #changesOf(name: DatabaseName): Map<Key, Change> {
    let changes = this.#databases.get(name);
    if (!changes) {
      changes = new Map();
      this.#databases.set(name, changes);
    }
    return changes;
  }

  #set(changes: Map<Key, Change>, keyName: Key, change: Change): void {
    if (Buffer.isBuffer(change.value)) this.#bytes += change.value.length;
    this.#size += 1;
    changes.set(keyName, change);
  }
}

/** What stands in the database for a value; worked out once. */
export function storedBytes(name: DatabaseName, change: Change): Buffer {
  change.bytes ??= encoderOf(name)(change.value);
  return change.bytes;
}

/** Equal for equal keys of one database. */
function nameOf(key: Key): Key {
  return Buffer.isBuffer(key) ? key.toString('latin1') : key;
}
