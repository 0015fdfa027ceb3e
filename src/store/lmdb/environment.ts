import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { ScriptdError } from '../../errors.js';
import { invariant } from '../../invariant.js';
import { lmdbStoreLimits } from '../limits.js';
import { binary, type Databases, openDatabases, openMeta } from './databases.js';
import { requireRoom, storeFault } from './faults.js';
import { type Migration, migrations, schemaVersion } from './migrations.js';

export interface Environment {
  root: RootDatabase<Buffer, Buffer>;
  databases: Databases;
  /** Runs `write` in one transaction, only as long as nobody else has opened it for writing. */
  commit(write: () => void): Promise<boolean>;
  directory: string;
}

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
 * Opens a store for writing, brings it to this schema, and takes it from whoever had it so before:
 * their next commit fails.
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
    const owner = root.openDB<Buffer, Buffer>('owner', { ...binary, useVersions: true });
    bringUp(root, databases, schema);
    const epoch = root.transactionSync(() => {
      const next = (owner.getEntry(ownerKey)?.version ?? 0) + 1;
      owner.put(ownerKey, Buffer.from(String(process.pid)), next);
      return next;
    });
    return {
      root,
      databases,
      commit: (write) => owner.ifVersion(ownerKey, epoch, write),
      directory,
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
export function openForReading(directory: string): Omit<Environment, 'commit'> {
  if (!statSync(dataFileOf(directory), { throwIfNoEntry: false })) {
    throw new ScriptdError('STORE_MISSING', `there is no store in ${directory}`);
  }
  try {
    const root = openRoot(directory, { readOnly: true });
    // Before the others: an older store does not have them all.
    const version = versionOf(openMeta(root));
    if (version !== schemaVersion) throw wrongVersion(version ?? 0, schemaVersion);
    return { root, databases: openDatabases(root), directory };
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
  if (!Number.isSafeInteger(current) || current > version) throw wrongVersion(current, version);
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

function wrongVersion(found: number, known: number): ScriptdError {
  const message =
    `the store has version ${found} of the schema, this scriptd knows version ${known}: ` +
    (found < known ? 'start its controller once, which brings it up' : 'use the newer scriptd');
  return new ScriptdError('STORE_VERSION', message);
}
