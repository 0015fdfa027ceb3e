import type { RootDatabase } from 'lmdb';
import type { Databases } from './databases.js';

/** Version of the schema that this code reads and writes. */
export const schemaVersion = 3;

/** Brings a store from one version to the next. Runs within one transaction. */
export type Migration = (root: RootDatabase<Buffer, Buffer>, databases: Databases) => void;

/** By the version that each starts from. One for every version before `schemaVersion`. */
export const migrations: ReadonlyMap<number, Migration> = new Map<number, Migration>([
  // `deliveries` and `owed` came, which are made as they are opened: no task had a webhook before.
  [1, () => undefined],
  // The journal came: whoever does not know it would not see what only it has.
  [2, () => undefined],
]);
