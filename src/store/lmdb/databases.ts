import type { Database, RootDatabase } from 'lmdb';
import { ScriptdError } from '../../errors.js';

/**
 * The databases. A task's row stands in the one that is called as its state, under the number of
 * its submission; everything else of it under its id.
 */
export const databaseNames = [
  /** Small facts of the store: `schema`, `counts`. */
  'meta',
  /** Task id → the number of its submission, and its view without bulk (records.ts, Head). */
  'tasks',
  /** Task id → spec: code, stdin, files and the rest. */
  'specs',
  /** Task id → stdout, stderr, files, exception; of finished tasks that have any. */
  'results',
  /** Number of submission → row (records.ts). */
  'pending',
  'running',
  'finished',
  /** Time of the end and number of submission → what history tells. Retention goes along it. */
  'endings',
  /** Group, tag, outcome other than success, dead letter: with number of submission → nothing. */
  'facets',
  /** Idempotency key → task id and time. */
  'keys',
  /** Time and idempotency key → nothing. */
  'keyTimes',
  /** Kind and id → value. */
  'documents',
] as const;
export type DatabaseName = (typeof databaseNames)[number];
export type Bytes = Database<Buffer, Buffer>;
export type Databases = Record<DatabaseName, Bytes>;

export const binary = { encoding: 'binary', keyEncoding: 'binary' } as const;

/** @throws ScriptdError STORE_CORRUPT: one is missing, of a store that is opened for reading. */
export function openDatabases(root: RootDatabase<Buffer, Buffer>): Databases {
  const opened = databaseNames.map((name) => {
    const database = root.openDB<Buffer, Buffer>(name, binary) as Bytes | undefined;
    if (!database) throw new ScriptdError('STORE_CORRUPT', `the store has no database ${name}`);
    return [name, database] as const;
  });
  return Object.fromEntries(opened) as Databases;
}
