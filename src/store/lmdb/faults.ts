import { statfsSync } from 'node:fs';
import { constants } from 'node:os';
import { ScriptdError } from '../../errors.js';
import { lmdbStoreLimits } from '../limits.js';

const { EACCES, EDQUOT, EFBIG, EIO, ENOSPC, EPERM, EROFS } = constants.errno;
/** lmdb.h: the map is full; a fatal error before; not a database or of another LMDB; damaged. */
const mapFull = -30792;
const panic = -30795;
const damaged = [-30793, -30794, -30796, -30797, -30780];

/** What lmdb-js rejects with: the number of the cause comes later, in a promise that is rejected. */
interface CommitFailure {
  commitError?: Promise<never>;
}

/** The cause of a commit that lmdb-js has rejected. */
export async function causeOf(failure: unknown): Promise<unknown> {
  const { commitError } = failure as CommitFailure;
  if (!commitError) return failure;
  return commitError.then(undefined, (cause: unknown) => cause);
}

/**
 * The fault of the world behind an error of LMDB.
 *
 * @param directory where the store lies: how much room it has says what an EIO was, as LMDB calls
 *   a write that was cut short by a full disk so (mdb.c, mdb_page_flush)
 */
export function storeFault(cause: unknown, directory: string): ScriptdError {
  if (cause instanceof ScriptdError) return cause;
  const number = numberOf(cause);
  const text = cause instanceof Error ? cause.message : String(cause);
  const detail = { cause, ...(number !== undefined && number > 0 && { errno: number }) };
  const fault = (code: string, message: string) => new ScriptdError(code, message, detail);
  const isFull = number === EIO && roomBytes(directory) < lmdbStoreLimits.fullBelowBytes;
  if (isFull || isOneOf(number, [ENOSPC, EDQUOT, EFBIG, mapFull])) {
    return fault('STORE_FULL', `no room is left for the store in ${directory}: make some`);
  }
  if (isOneOf(number, [EROFS, EACCES, EPERM])) {
    return fault('STORE_READ_ONLY', `the store in ${directory} cannot be written: ${text}`);
  }
  if (number === panic) {
    return fault('STORE_FAILED', `the store in ${directory} must be opened anew: ${text}`);
  }
  if (isOneOf(number, damaged)) {
    return fault('STORE_CORRUPT', `what lies in ${directory} is not a whole store: ${text}`);
  }
  return fault('STORE_FAILED', `the store in ${directory} failed: ${text}; look at the disk`);
}

function isOneOf(number: number | undefined, numbers: readonly number[]): boolean {
  return number !== undefined && numbers.includes(number);
}

function numberOf(cause: unknown): number | undefined {
  if (typeof cause !== 'object' || cause === null) return undefined;
  const { errno, code } = cause as { errno?: unknown; code?: unknown };
  // Of Node's own errors, e.g. when the folder cannot be made.
  if (typeof errno === 'number') return Math.abs(errno);
  return typeof code === 'number' ? code : undefined;
}

/**
 * @param bytes that are about to be written
 * @throws ScriptdError STORE_FULL: afterwards hardly any room would be left
 */
export function requireRoom(directory: string, bytes: number): void {
  if (roomBytes(directory) >= lmdbStoreLimits.fullBelowBytes + bytes) return;
  throw new ScriptdError('STORE_FULL', `no room is left for the store in ${directory}: make some`);
}

/**
 * By how much LMDB may make its file larger for so many changes, of so many bytes together.
 *
 * @param fileBytes of the file as it is
 */
export function roomFor(
  { size, bytes }: { size: number; bytes: number },
  fileBytes: number,
): number {
  const { pageBytes, recordBytes } = lmdbStoreLimits;
  // Pages that are there are copied before they are changed, and each change may have one of its own.
  const copied = Math.min(size * pageBytes, fileBytes);
  // A value takes up to two pages.
  return copied + size * recordBytes + 2 * bytes;
}

/** What an ordinary user may still write there. */
function roomBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}
