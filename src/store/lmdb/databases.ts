import type { Database, Key, RootDatabase } from 'lmdb';
import { ScriptdError } from '../../errors.js';
import type { HistoryRecord } from '../port.js';
import { binaryKeys, type KeyEncoder, sequenceKeys, taskIdKeys } from './keys.js';
import {
  endings,
  type Head,
  heads,
  type IdempotencyRecord,
  idempotencyRecords,
  type Row,
  rows,
  type ValueEncoder,
} from './records.js';

/**
 * The databases. A task's row stands in the one that is called as its state, under the number of
 * its submission; everything else of it under its id.
 */
export interface Databases {
  /** Small facts of the store: `schema`, `counts`, `journal`. */
  meta: Database<Buffer, Buffer>;
  /** By task id. */
  tasks: Database<Head, string>;
  /** By task id: code, stdin, files and the rest of a spec. */
  specs: Database<Buffer, string>;
  /** By task id: stdout, stderr, files, exception; of finished tasks that have any. */
  results: Database<Buffer, string>;
  /** By number of submission. */
  pending: Database<Row, number>;
  running: Database<Row, number>;
  finished: Database<Row, number>;
  /** By time of the end and number of submission. Retention goes along it. */
  endings: Database<HistoryRecord, Buffer>;
  /** By task id: how far telling its webhook has come; of finished tasks that have one. */
  deliveries: Database<Buffer, string>;
  /** By time of the next attempt and number of submission: task id and whom; of those that are due. */
  owed: Database<Buffer, Buffer>;
  /** Group, tag, outcome other than success, dead letter, with number of submission → nothing. */
  facets: Database<Buffer, Buffer>;
  /** By idempotency key. */
  keys: Database<IdempotencyRecord, Buffer>;
  /** Time and idempotency key → nothing. */
  keyTimes: Database<Buffer, Buffer>;
  /** By kind and id. */
  documents: Database<Buffer, Buffer>;
}

export type DatabaseName = keyof Databases;
export type KeyOf<Name extends DatabaseName> =
  Databases[Name] extends Database<unknown, infer Key> ? Key : never;
export type ValueOf<Name extends DatabaseName> =
  Databases[Name] extends Database<infer Value> ? Value : never;

/** No key stands before it. lmdb-js knows that by itself only of keys that are bytes. */
export function firstKey(name: DatabaseName): Key {
  const { keyEncoder } = layout[name] as { keyEncoder?: unknown };
  if (keyEncoder === taskIdKeys) return '00000000-0000-0000-0000-000000000000';
  return keyEncoder === sequenceKeys ? 0 : Buffer.from([0]);
}

const bytes = { encoding: 'binary' } as const;
const byBytes = { keyEncoding: 'binary' } as const;
const byTaskId = { keyEncoder: taskIdKeys } as const;
const bySequence = { keyEncoder: sequenceKeys } as const;
export const binary = { ...bytes, ...byBytes } as const;

const bytesAsTheyAre: ValueEncoder<Buffer> = {
  encode: (bytes) => bytes,
  decode: (bytes) => bytes,
};

const layout = {
  meta: binary,
  tasks: { encoder: heads, ...byTaskId },
  specs: { ...bytes, ...byTaskId },
  results: { ...bytes, ...byTaskId },
  pending: { encoder: rows, ...bySequence },
  running: { encoder: rows, ...bySequence },
  finished: { encoder: rows, ...bySequence },
  endings: { encoder: endings, ...byBytes },
  deliveries: { ...bytes, ...byTaskId },
  owed: binary,
  facets: binary,
  keys: { encoder: idempotencyRecords, ...byBytes },
  keyTimes: binary,
  documents: binary,
} as const satisfies Record<DatabaseName, object>;

/** In an order that the journal goes by: only to be added to, at the end. */
export const databaseNames = Object.keys(layout) as readonly DatabaseName[];

/** How the keys of a database are written. */
export function keyCodecOf(name: DatabaseName): KeyEncoder<Key> {
  const { keyEncoder = binaryKeys } = layout[name] as { keyEncoder?: unknown };
  return keyEncoder as KeyEncoder<Key>;
}

/** How the values of a database are written. */
export function encoderOf(name: DatabaseName): (value: unknown) => Buffer {
  const { encoder = bytesAsTheyAre } = layout[name] as { encoder?: ValueEncoder<unknown> };
  return encoder.encode as (value: unknown) => Buffer;
}

/** @throws ScriptdError STORE_CORRUPT: as `openDatabases`. */
export function openMeta(root: RootDatabase<Buffer, Buffer>): Databases['meta'] {
  const meta: Databases['meta'] | undefined = root.openDB('meta', layout.meta);
  if (!meta) throw missing('meta');
  return meta;
}

/** @throws ScriptdError STORE_CORRUPT: one is missing, of a store that is opened for reading. */
export function openDatabases(root: RootDatabase<Buffer, Buffer>): Databases {
  const opened = Object.entries(layout).map(([name, options]) => {
    // Of the root's options each inherits the encoding.
    const database: Database | undefined = root.openDB(name, { encoding: 'msgpack', ...options });
    if (!database) throw missing(name);
    return [name, database] as const;
  });
  return Object.fromEntries(opened) as unknown as Databases;
}

function missing(name: string): ScriptdError {
  return new ScriptdError('STORE_CORRUPT', `the store has no database ${name}`);
}
