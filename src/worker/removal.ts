import { randomBytes } from 'node:crypto';
import { constants, lstatSync, type PathLike } from 'node:fs';
import { chmod, type FileHandle, open, opendir, rename, rmdir, unlink } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { errorCode, ScriptdError } from '../errors.js';
import { workerLimits } from './limits.js';

const pathOnly = 0o10000000; // O_PATH, open(2): needs no permission on the file itself
const directoryOnly = constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** Of this process alone: a predecessor may have left some that it had moved up. */
const movedPrefix = `${randomBytes(3).toString('hex')}-0.`;
let moved = 0;

/**
 * Removes the directory `name` in `root` with all that is in it, in bounded time and memory.
 *
 * A script may have left any tree, and a process that got away may still be changing it. So no path
 * longer than one name is ever walked: everything is addressed through an open directory
 * (/proc/self/fd, proc(5)), which a swapped symlink cannot redirect. A subdirectory is first moved up
 * into `root`, where only the worker writes; this bounds the depth as well.
 *
 * What is no directory is removed too; no link is followed.
 *
 * @throws ScriptdError REMOVAL_GAVE_UP past `removedEntriesMax`, or of node:fs with code and syscall.
 */
export async function removeTree(root: string, name: string): Promise<void> {
  const removal: Removal = { root, name, found: [name], entries: 0 };
  // A script may have removed its own.
  if (!lstatSync(`${root}/${name}`, { throwIfNoEntry: false })) return;
  for (let next = removal.found.pop(); next !== undefined; next = removal.found.pop()) {
    await removeDirectory(removal, next);
  }
}

interface Removal {
  root: string;
  name: string;
  /** Names in `root` that are still to be removed. */
  found: string[];
  entries: number;
}

/** Removes one directory of `root`; its subdirectories are moved out of it and noted. */
async function removeDirectory(removal: Removal, name: string): Promise<void> {
  const path = `${removal.root}/${name}`;
  for (let pass = 1; ; pass++) {
    try {
      await empty(removal, path);
    } catch (error) {
      if (!isNoDirectory(error)) throw error;
      // Put in place of one while that was moved up, or by a script in place of its own.
      return await unlink(path);
    }
    try {
      return await rmdir(path);
    } catch (error) {
      const isFilling = errorCode(error) === 'ENOTEMPTY';
      if (!isFilling || pass === workerLimits.removalPassesMax) throw error;
      // Processes that were killed a moment ago may take another to be gone.
      await delay(pass * workerLimits.removalPauseMs);
    }
  }
}

async function empty(removal: Removal, path: string): Promise<void> {
  const handle = await openDirectory(path);
  let batch: Promise<void>[] = [];
  try {
    const directory = await opendir(within(handle), { encoding: 'latin1' });
    for await (const entry of directory) {
      if (++removal.entries > workerLimits.removedEntriesMax) {
        const text = `more than ${workerLimits.removedEntriesMax} entries are left in it`;
        throw new ScriptdError('REMOVAL_GAVE_UP', text);
      }
      const inside = within(handle, entry.name);
      const gone = (entry.isDirectory() ? moveUp(removal, inside) : unlink(inside)).catch(
        unlessChanged,
      );
      batch.push(gone);
      // It is awaited below, with the others; until then nobody has asked how it went.
      gone.catch(() => undefined);
      if (batch.length === workerLimits.removedAtOnce) {
        await Promise.all(batch);
        batch = [];
      }
    }
    await Promise.all(batch);
  } finally {
    // They go by the handle's number, which may be another's once it is closed.
    await Promise.allSettled(batch);
    await handle.close();
  }
}

/** A process that got away may have been quicker: what is something else now is seen by the next pass. */
function unlessChanged(error: unknown): void {
  const code = errorCode(error);
  if (code !== 'ENOENT' && code !== 'EISDIR' && !isNoDirectory(error)) throw error;
}

/** Also for a link, where none may be followed. */
function isNoDirectory(error: unknown): boolean {
  return ['ENOTDIR', 'ELOOP'].includes(errorCode(error) ?? '');
}

/** A script may have taken away every permission on it. */
async function openDirectory(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY | directoryOnly);
  } catch (error) {
    if (errorCode(error) !== 'EACCES') throw error;
    await makeAccessible(path);
    return await open(path, constants.O_RDONLY | directoryOnly);
  }
}

async function moveUp(removal: Removal, inside: Buffer): Promise<void> {
  const name = `${movedPrefix}${++moved}`;
  const target = `${removal.root}/${name}`;
  try {
    await rename(inside, target);
  } catch (error) {
    if (errorCode(error) !== 'EACCES') throw error;
    await makeAccessible(inside);
    await rename(inside, target);
  }
  removal.found.push(name);
}

async function makeAccessible(directory: PathLike): Promise<void> {
  const handle = await open(directory, pathOnly | directoryOnly);
  try {
    await chmod(within(handle), 0o700);
  } finally {
    await handle.close();
  }
}

/** Path of an open directory, or of an entry in it. Names are any bytes: each is one character. */
function within(directory: FileHandle, name?: string): Buffer {
  const path = `/proc/self/fd/${directory.fd}`;
  return Buffer.from(name === undefined ? path : `${path}/${name}`, 'latin1');
}
