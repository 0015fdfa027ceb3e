import type { Database, Key } from 'lmdb';
import type { DatabaseName, Databases, KeyOf, ValueOf } from './databases.js';
import { Layer, type Source } from './layer.js';
import { Recent } from './recent.js';

/**
 * Everything that is durable, for the one process that writes: the databases, and above them what so
 * far only the journal has.
 */
export class Memtables implements Source {
  readonly #databases: Databases;
  /** Decoded values that the databases have. */
  readonly #recent = new Recent();
  /** What comes. */
  #active = new Layer();
  /** What the databases are being given. */
  #frozen: Layer | undefined;

  constructor(databases: Databases) {
    this.#databases = databases;
  }

  /** Of what the databases do not have yet. */
  get bytes(): number {
    return this.#active.bytes + (this.#frozen?.bytes ?? 0);
  }

  /** Changes that the databases do not have yet. */
  get size(): number {
    return this.#active.size + (this.#frozen?.size ?? 0);
  }

  get active(): Pick<Layer, 'size' | 'bytes'> {
    return this.#active;
  }

  get isFrozen(): boolean {
    return this.#frozen !== undefined;
  }

  get<Name extends DatabaseName>(name: Name, key: KeyOf<Name>): ValueOf<Name> | undefined {
    const change = this.#active.get(name, key) ?? this.#frozen?.get(name, key);
    if (change) return change.value as ValueOf<Name> | undefined;
    const database = this.#databases[name] as Database<unknown, Key>;
    return (this.#recent.get(name, key) ?? database.get(key)) as ValueOf<Name> | undefined;
  }

  /** The journal has it. */
  add(layer: Layer): void {
    this.#active.absorb(layer);
  }

  /** What has come is to be given to the databases; nothing else may be meanwhile. */
  freeze(): void {
    this.#frozen = this.#active;
    this.#active = new Layer();
  }

  /** Hands what is frozen to the transaction that is open. */
  writeFrozen(): void {
    this.#frozen?.write(this.#databases);
  }

  /** Hands everything to the transaction that is open, and `more` after it. */
  writeAll(more?: Layer): void {
    this.#frozen?.write(this.#databases);
    this.#active.write(this.#databases);
    more?.write(this.#databases);
  }

  /** The databases have what was frozen. */
  frozenWritten(): void {
    this.#note(this.#frozen);
    this.#frozen = undefined;
  }

  /** The databases have everything, and `more`. */
  allWritten(more?: Layer): void {
    for (const layer of [this.#frozen, this.#active, more]) this.#note(layer);
    this.#frozen = undefined;
    this.#active = new Layer();
  }

  /** A commit failed in a way that may not tell what the databases have now. */
  forgetRecent(): void {
    this.#recent.clear();
  }

  #note(layer: Layer | undefined): void {
    for (const [name, { key, value }] of layer ?? []) this.#recent.note(name, key, value);
  }
}
