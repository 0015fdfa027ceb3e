import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
  type Stats,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { errorCode } from './errors.js';

/**
 * Makes a new file, for its owner only. It is on disk once this returns; a power cut or a full disk
 * leaves all of it or nothing.
 *
 * @throws Error EEXIST, and what else the system says
 */
export function createFile(path: string, text: string): void {
  putInPlace(path, text, (temporary) => link(temporary, path));
}

/**
 * Makes the file unless it is there already. Whoever is first wins, and a reader finds what that
 * one wrote. An empty one is what was left of a file that was not written so: it counts as none.
 */
export function ensureFile(path: string, text: string): void {
  const there = entryOf(path);
  // Nothing is written then: whoever only reads the folder is served, too.
  if (there && !isEmpty(there)) return;
  putInPlace(path, text, (temporary) => {
    if (!isLinked(temporary, path) && isEmpty(entryOf(path))) replaceEmpty(path, temporary);
  });
}

/** Writes a file, for its owner only. Its name is on disk once the folder is synced. */
export function writeSynced(path: string, text: string, flag: 'w' | 'wx' = 'w'): void {
  const file = openSync(path, flag, 0o600);
  try {
    ifAble(() => fchmodSync(file, 0o600));
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Names that were made, changed or removed in this folder are on disk then. */
export function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    ifAble(() => fsyncSync(folder));
  } finally {
    closeSync(folder);
  }
}

/** @param put gives the file that has the text its name, or doesn't */
function putInPlace(path: string, text: string, put: (temporary: string) => void): void {
  // Not by pid: in containers many have the same.
  const temporary = `${path}.${randomBytes(8).toString('hex')}`;
  try {
    writeSynced(temporary, text, 'wx');
    put(temporary);
  } finally {
    rmSync(temporary, { force: true });
  }
  syncFolder(dirname(path));
}

/**
 * Those who find the same empty file agree on what replaces it: FILE.new, of whoever made it first.
 * It goes only once the file isn't empty any more, so as long as the file is empty it is the same
 * for all, and so is what they put in its place, however often.
 */
function replaceEmpty(path: string, temporary: string): void {
  const agreed = `${path}.new`;
  isLinked(temporary, agreed);
  try {
    unlinkSync(temporary);
    linkSync(agreed, temporary);
    // Only now: had somebody put it in place before, `agreed` might be that of a latecomer.
    if (isEmpty(entryOf(path))) renameSync(temporary, path);
    unlinkSync(agreed);
  } catch (error) {
    // Somebody else has put it in place and removed it.
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

/** What file systems say that have no modes, no links, or nothing to flush of a folder. */
const unable = ['EPERM', 'EINVAL', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP'];

/** The file system, not the file, is why it can't be done. */
export function isUnable(error: unknown): boolean {
  return unable.includes(errorCode(error) ?? '');
}

function ifAble(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!isUnable(error)) throw error;
  }
}

/** @throws Error EEXIST */
function link(existing: string, path: string): void {
  try {
    linkSync(existing, path);
  } catch (error) {
    if (!isUnable(error)) throw error;
    // Whoever makes the name is first.
    closeSync(openSync(path, 'wx', 0o600));
    renameSync(existing, path);
  }
}

/** False when something of the name is there. */
function isLinked(existing: string, path: string): boolean {
  try {
    link(existing, path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** A link is not followed. */
function entryOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function isEmpty(entry: Stats | undefined): boolean {
  return entry?.isFile() === true && entry.size === 0;
}
