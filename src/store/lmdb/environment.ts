import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { asBinary, type Database, type Key, open, type RootDatabase } from 'lmdb';
import { ScriptdError } from '../../errors.js';
import { invariant } from '../../invariant.js';
import { lmdbStoreLimits } from '../limits.js';
import { binary, type Databases, openDatabases, openMeta } from './databases.js';
import { requireRoom, roomFor, storeFault } from './faults.js';
import { leftIn, removeFiles } from './journal-files.js';
import { type Position, saltBytes } from './journal-record.js';
import { atStart, readJournalState, writeJournalState } from './journal-state.js';
import { type Migration, migrations, schemaVersion } from './migrations.js';

export interface Environment {
  root: RootDatabase<Buffer, Buffer>;
  databases: Databases;
  /**
   * Runs `write` in one transaction, only as long as nobody else has opened it for writing.
   *
   * @param position of the journal, before which the databases have everything then
   */
  commit(write: () => void, position: Position): Promise<boolean>;
  /** Whether nobody else has opened it for writing by now. */
  isOwned(): boolean;
  /** For the journal: of whoever opens it for writing, and which secret its records bear. */
  epoch: number;
  salt: Buffer;
  directory: string;
  durability: 'fsync' | 'os';
}

/** A store that is there for reading. */
export type Reading = Pick<Environment, 'root' | 'databases' | 'directory'>;

export interface EnvironmentOptions {
  /** Made when it is not there. */
  directory: string;
  /** `fsync`: a commit is on disk when it is told. `os`: it is with the operating system. */
  durability: 'fsync' | 'os';
  /** For tests of the mechanism. */
  schema?: { version: number; migrations: ReadonlyMap<number, Migration> };
}

const ownerKey = Buffer.from('owner');
const schemaKey = Buffer.from('schema');

/**
 * Opens a store for writing, takes it from whoever had it so before (their next commit fails), gives
 * the databases what only the journal had, and brings it to this schema.
 *
 * What `fsync` means (mdb.c, mdb_txn_commit): the pages of a commit are written, fdatasync(2) makes
 * them last, and only then one meta page is written through a descriptor with O_DSYNC. So the last
 * commit that was told is on disk, and a power cut at any moment leaves it or the one that was under
 * way. lmdb-js's overlappingSync would tell of a commit before that, and is off.
 *
 * @throws ScriptdError STORE_VERSION, STORE_READ_ONLY, STORE_FULL, STORE_CORRUPT, STORE_FAILED
 */
export function openEnvironment(options: EnvironmentOptions): Environment {
  const { directory, durability, schema = { version: schemaVersion, migrations } } = options;
  try {
    makeFolder(directory);
    // lmdb-js crashes where a new file, its lock file or what is written here finds no room.
    requireRoom(directory, 0);
    const root = openRoot(directory, { noSync: durability === 'os' });
    const databases = openDatabases(root);
    const { meta } = databases;
    const owner = root.openDB<Buffer, Buffer>('owner', { ...binary, useVersions: true });
    const version = versionOf(meta);
    if (version !== undefined) requireKnown(version, schema.version);
    const salt = randomBytes(saltBytes);
    const epoch = root.transactionSync(() => {
      const next = (owner.getEntry(ownerKey)?.version ?? 0) + 1;
      void owner.put(ownerKey, Buffer.from(String(process.pid)), next);
      const before = readJournalState(meta);
      writeJournalState(meta, { ...before, salts: new Map(before.salts).set(next, salt) });
      return next;
    });
    const salts = new Map([[epoch, salt]]);
    replay(root, databases, { directory, epoch, salts });
    bringUp(root, databases, schema);
    return {
      ...{ root, databases, directory, durability, epoch, salt },
      commit: (write, position) =>
        owner.ifVersion(ownerKey, epoch, () => {
          write();
          writeJournalState(meta, { epoch, position, salts });
        }),
      isOwned() {
        // What another process has committed by now is to be seen.
        root.resetReadTxn();
        return owner.getEntry(ownerKey)?.version === epoch;
      },
    };
  } catch (error) {
    throw storeFault(error, directory);
  }
}

/**
 * Opens a store that is there for reading, beside whoever writes it.
 *
 * @throws ScriptdError STORE_MISSING, STORE_VERSION, STORE_CORRUPT, STORE_FAILED
 */
export function openForReading(directory: string): Reading {
  if (!statSync(dataFileOf(directory), { throwIfNoEntry: false })) {
    throw new ScriptdError('STORE_MISSING', `there is no store in ${directory}`);
  }
  try {
    const root = openRoot(directory, { readOnly: true });
    // Before the others: an older store does not have them all.
    const version = versionOf(openMeta(root));
    if (version !== schemaVersion) throw wrongVersion(version ?? 0, schemaVersion);
    const databases = openDatabases(root);
    return { root, databases, directory };
  } catch (error) {
    throw storeFault(error, directory);
  }
}

/** In two steps: with `recursive`, Node calls a read-only file system ENOENT. */
function makeFolder(directory: string): void {
  mkdirSync(dirname(directory), { recursive: true, mode: 0o700 });
  if (!existsSync(directory)) mkdirSync(directory, { mode: 0o700 });
}

export function dataFileOf(directory: string): string {
  return join(directory, 'data.mdb');
}

export function fileBytesOf(directory: string): number {
  return statSync(dataFileOf(directory)).size;
}

function openRoot(directory: string, flags: { noSync?: boolean; readOnly?: boolean }) {
  return open<Buffer, Buffer>({
    path: directory,
    noSubdir: false,
    maxDbs: lmdbStoreLimits.databasesMax,
    mapSize: lmdbStoreLimits.mapBytesMax,
    overlappingSync: false,
    // Commits are gathered in commits.ts.
    eventTurnBatching: false,
    ...flags,
    ...binary,
  });
}

function versionOf(meta: Databases['meta']): number | undefined {
  const bytes = meta.get(schemaKey);
  return bytes && Number(bytes.toString());
}

/** Gives the databases what only the journals of earlier epochs have. */
function replay(
  root: RootDatabase<Buffer, Buffer>,
  databases: Databases,
  own: { directory: string; epoch: number; salts: ReadonlyMap<number, Buffer> },
): void {
  const { meta } = databases;
  const { commits, paths, ...left } = leftIn(own.directory, readJournalState(meta));
  if (commits.length > 0) {
    requireRoom(own.directory, roomFor(left, fileBytesOf(own.directory)));
    root.transactionSync(() => {
      for (const changes of commits) {
        for (const { name, key, bytes } of changes) {
          const database = databases[name] as Database<unknown, Key>;
          void (bytes ? database.put(key, asBinary(bytes)) : database.remove(key));
        }
      }
      writeJournalState(meta, { ...own, position: atStart });
    });
  }
  removeFiles(paths);
}

/** Writes the version of a new store, and migrates an older one, step by step. */
function bringUp(
  root: RootDatabase<Buffer, Buffer>,
  databases: Databases,
  { version, migrations }: NonNullable<EnvironmentOptions['schema']>,
): void {
  const write = (value: number) => databases.meta.put(schemaKey, Buffer.from(String(value)));
  let current = versionOf(databases.meta);
  if (current === undefined) {
    root.transactionSync(() => write(version));
    return;
  }
  while (current < version) {
    const migrate = migrations.get(current);
    invariant(migrate, `no migration leads on from version ${current} of the store`);
    const next: number = current + 1;
    root.transactionSync(() => {
      migrate(root, databases);
      write(next);
    });
    current = next;
  }
}

function requireKnown(found: number, known: number): void {
  if (!Number.isSafeInteger(found) || found > known) throw wrongVersion(found, known);
}

function wrongVersion(found: number, known: number): ScriptdError {
  const message =
    `the store has version ${found} of the schema, this scriptd knows version ${known}: ` +
    (found < known ? 'start its controller once, which brings it up' : 'use the newer scriptd');
  return new ScriptdError('STORE_VERSION', message);
}
