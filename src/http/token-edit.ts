import { constants, realpathSync, type Stats, statSync } from 'node:fs';
import { access, type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { isUnable } from '../durable-file.js';
import { errorCode, errorMessage, ScriptdError } from '../errors.js';
import { Problem } from './problem.js';
import { parseTokenFile, readTokenFile, type TokenLine } from './token-file.js';

/** How often, and how long in between, one waits for another that changes the same file. */
const triesMax = 100;
const tryMs = 50;

/**
 * Puts other lines in the place of those of a token file, at once: whoever reads it meanwhile finds
 * the old ones or the new ones. A new file is for its owner only; one that was there keeps its owner
 * and may stay readable for its group. One at a time: FILE.new is the new file and the lock.
 *
 * @param change gets the lines and returns all that are to be there; what it throws changes nothing
 * @returns the lines that are there now
 * @throws ScriptdError TOKENS_BUSY, TOKENS_UNWRITABLE, TOKENS_UNREADABLE, TOKENS_INVALID
 */
export async function editTokenFile(
  path: string,
  change: (lines: TokenLine[]) => readonly string[],
): Promise<TokenLine[]> {
  const there = existing(path);
  const place = there?.path ?? path;
  const temporary = `${place}.new`;
  const file = await openAlone(temporary);
  let changed: TokenLine[];
  try {
    // Only now: whoever had the lock before has changed it.
    const lines = change(existing(path) ? parseTokenFile(path, readTokenFile(place)) : []);
    const text = lines.map((line) => `${line}\n`).join('');
    changed = parseTokenFile(path, text);
    const { uid, gid, mode } = there?.stats ?? {};
    if (uid !== undefined && gid !== undefined) await file.chown(uid, gid);
    await file.chmod(0o600 | ((mode ?? 0) & 0o040));
    await file.writeFile(text);
    await file.sync();
    await rename(temporary, place);
  } catch (error) {
    await unlink(temporary);
    if (error instanceof ScriptdError || error instanceof Problem) throw error;
    throw unwritable(place, error);
  } finally {
    await file.close();
  }
  await syncFolderOf(place);
  return changed;
}

/** Without this a power cut may bring a revoked token back. Not every file system can do it. */
async function syncFolderOf(place: string): Promise<void> {
  try {
    const folder = await open(dirname(place));
    await folder.sync().finally(() => folder.close());
  } catch (error) {
    if (!isUnable(error)) throw unwritable(place, error);
  }
}

/** Whether `editTokenFile` can put another file in the place of this one, as far as can be seen. */
export async function isEditable(path: string): Promise<boolean> {
  try {
    const there = existing(path);
    await access(dirname(there?.path ?? path), constants.R_OK | constants.W_OK);
    const user = process.geteuid?.();
    return user === 0 || there === undefined || there.stats.uid === user;
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return false;
  }
}

/** Where a link leads, since a rename would take the link's place; undefined: nothing is there. */
function existing(path: string): { path: string; stats: Stats } | undefined {
  try {
    const real = realpathSync(path);
    return { path: real, stats: statSync(real) };
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw unwritable(path, error);
  }
}

async function openAlone(path: string): Promise<FileHandle> {
  for (let tries = 1; ; tries++) {
    try {
      return await open(path, 'wx', 0o600);
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw unwritable(path, error);
      if (tries === triesMax) throw busy(path);
    }
    await setTimeout(tryMs);
  }
}

function busy(path: string): ScriptdError {
  const text = `somebody else is changing the file of tokens: ${path} is there`;
  return new ScriptdError('TOKENS_BUSY', `${text}; if nobody does any more, remove it`);
}

function unwritable(path: string, cause: unknown): ScriptdError {
  const text = `the tokens cannot be written to ${path}: ${errorMessage(cause)}`;
  return new ScriptdError('TOKENS_UNWRITABLE', text, { cause });
}
