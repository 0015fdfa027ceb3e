import type { Transaction } from 'lmdb';
import type { TaskState } from '../../task.js';
import {
  type DatabaseName,
  type Databases,
  firstKey,
  type KeyOf,
  type ValueOf,
} from './databases.js';
import type { Environment } from './environment.js';
import type { Source } from './layer.js';
import { merge } from './merge.js';
import type { Row } from './records.js';

export interface Place {
  sequence: number;
  row: Row;
  state: TaskState;
}

/**
 * A store as it stood when this was made. As long as it is open nothing that it sees is overwritten:
 * the file may grow meanwhile.
 */
export class Snapshot implements Source {
  readonly #databases: Databases;
  readonly #transaction: Transaction;

  constructor({ root, databases }: Pick<Environment, 'root' | 'databases'>) {
    this.#databases = databases;
    this.#transaction = root.useReadTransaction();
  }

  get<Name extends DatabaseName>(name: Name, key: KeyOf<Name>): ValueOf<Name> | undefined {
    const options = { transaction: this.#transaction };
    return this.#databases[name].get(key as never, options) as ValueOf<Name> | undefined;
  }

  keys<Name extends DatabaseName>(name: Name): Iterable<KeyOf<Name>> {
    const options = { start: firstKey(name) as never, transaction: this.#transaction };
    return this.#databases[name].getKeys(options) as Iterable<KeyOf<Name>>;
  }

  entries<Name extends DatabaseName>(
    name: Name,
  ): Iterable<{ key: KeyOf<Name>; value: ValueOf<Name> }> {
    const options = { start: firstKey(name) as never, transaction: this.#transaction };
    return this.#databases[name].getRange(options) as Iterable<never>;
  }

  /** Every task's row, in order of submission. */
  places(): Iterable<Place> {
    const states = ['pending', 'running', 'finished'] as const;
    const sources = states.map((state) => this.#places(state));
    return merge(sources, (a, b) => a.sequence < b.sequence);
  }

  *#places(state: TaskState): Generator<Place> {
    for (const { key, value } of this.entries(state)) yield { sequence: key, row: value, state };
  }

  /** As it is now: may differ a little from what is seen. For showing progress. */
  approximateCount(name: DatabaseName): number {
    const { entryCount } = this.#databases[name].getStats() as { entryCount: number };
    return entryCount;
  }

  close(): void {
    this.#transaction.done();
  }
}
