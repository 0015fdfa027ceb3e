import { getSystemErrorMap } from 'node:util';
import { ScriptdError } from '../errors.js';
import { limits } from '../limits.js';
import { loadAddon } from '../native.js';

/**
 * Files that a script leaves in its work directory and that its task gets back. At isolation strict
 * scriptd-init collects them when nothing else is left in the namespace; at the other levels the
 * worker does it itself. Both by the same code, native/sandbox/inside/collect.cc: no link is followed
 * and nothing but regular files is read, whatever the script has made of the directory.
 */

/** What is wanted. */
export interface CollectOrder {
  /** See `checkPattern`. */
  patterns: readonly string[];
  filesMax: number;
  /** Of all contents together. */
  bytesMax: number;
}

/** Each list is sorted by name; no name is in both. */
export interface Collected {
  files: { name: string; content: Buffer }[];
  /**
   * What a pattern matched and was not taken, or a directory that was not searched, and why: ELOOP a
   * symbolic link, EISDIR a directory that was asked for by its name, EINVAL anything else that is no
   * regular file, EFBIG beyond `bytesMax`, EMFILE the first beyond `filesMax`, EBUSY it changed while
   * it was read, EXDEV something is mounted there, EILSEQ its name is not UTF-8, ENAMETOOLONG too
   * deep, E2BIG more entries than there is time for (nothing after it was looked at), or another
   * errno of the kernel. At most 100.
   */
  notCollected: { name: string; errno: number }[];
}

interface Addon {
  collect(directory: string | number, order: Uint8Array): Promise<Uint8Array>;
}

const addon = loadAddon('sandbox') as Addon;

/** As in native/sandbox/inside: components of all patterns, with one more for the end of each. */
const statesMax = 1024;
const EILSEQ = 84;

/**
 * Checks a pattern of relative paths. `*` stands for any characters and `?` for any one, neither for
 * a leading dot nor a slash; `**` as a whole component for any number of directories without a
 * leading dot, and at the end for all files below.
 *
 * @throws ScriptdError EINVAL, with what is wrong with it.
 */
export function checkPattern(pattern: string): void {
  const wrong = problemOf(pattern);
  if (wrong === undefined) return;
  throw new ScriptdError('EINVAL', `collect: ${JSON.stringify(pattern)} ${wrong}`);
}

function problemOf(pattern: string): string | undefined {
  if (pattern === '') return 'is empty';
  if (pattern.includes('\0')) return 'contains a NUL byte';
  if (pattern.startsWith('/')) return 'is not relative to the work directory';
  if (Buffer.byteLength(pattern) > limits.fileNameBytesMax) {
    return `is longer than ${limits.fileNameBytesMax} bytes`;
  }
  const parts = pattern.split('/');
  if (parts.includes('')) return 'has an empty component: two slashes, or one at its end';
  if (parts.includes('..')) return 'leads out of a directory by ".."';
  if (parts.includes('.')) return 'has a component "."';
  return undefined;
}

/**
 * Checks all patterns of a task.
 *
 * @throws ScriptdError EINVAL when one is wrong, or when they are too many together.
 */
export function checkPatterns(patterns: readonly string[]): void {
  for (const pattern of patterns) checkPattern(pattern);
  // A last ** is one more, see PatternSet::Add.
  const states = patterns.reduce((sum, pattern) => sum + pattern.split('/').length + 2, 0);
  if (states <= statesMax) return;
  throw new ScriptdError('EINVAL', `collect: the patterns have too many components (${states})`);
}

/**
 * The order as bytes, for the status channel of a strict start. Numbers are little-endian, strings
 * are a length, bytes, and a NUL that is not counted:
 *
 *     u32 length of the rest
 *     u32 filesMax, u64 bytesMax, u32 number of patterns, patterns as strings
 *
 * @throws ScriptdError EINVAL, see `checkPatterns`.
 */
export function encodeCollectOrder({ patterns, filesMax, bytesMax }: CollectOrder): Buffer {
  checkPatterns(patterns);
  const head = Buffer.alloc(20);
  head.writeUInt32LE(filesMax, 4);
  head.writeBigUInt64LE(BigInt(bytesMax), 8);
  head.writeUInt32LE(patterns.length, 16);
  const parts = patterns.flatMap((pattern) => {
    const text = Buffer.from(`${pattern}\0`);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(text.length - 1);
    return [length, text];
  });
  const order = Buffer.concat([head, ...parts]);
  order.writeUInt32LE(order.length - 4);
  return order;
}

/**
 * What the records say that follow the 'E' of a status channel (native/sandbox/inside/collect.h has
 * the format). A record that isn't complete, since the sender was killed, is left out with all that
 * would come after it. The contents are parts of `bytes`.
 */
export function readCollected(bytes: Uint8Array): Collected {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const files = new Map<string, Buffer>();
  const notCollected = new Map<string, number>();
  for (const { start, nameEnd, end, number, isContent } of records(buffer)) {
    const { name, valid } = decodeName(buffer.subarray(start + recordHeaderBytes, nameEnd));
    if (isContent && valid) {
      files.set(name, buffer.subarray(nameEnd, end));
    } else {
      // One that was taken and changed meanwhile is taken back.
      if (valid) files.delete(name);
      notCollected.set(name, valid ? number : EILSEQ);
    }
  }
  return {
    files: sorted(files).map(([name, content]) => ({ name, content })),
    notCollected: sorted(notCollected).map(([name, errno]) => ({ name, errno })),
  };
}

/**
 * Whether the records are all that were to come: the 'D' stands behind the last of them, by which the
 * first process of a sandbox says that nothing else is left there. What a file holds is no such word.
 */
export function isDone(bytes: Uint8Array): boolean {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  for (const { end } of records(buffer)) at = end;
  return at === buffer.length - 1 && buffer[at] === 0x44 /* D */;
}

interface CollectedRecord {
  /** Offsets in the bytes; what is between the last two is the content. */
  start: number;
  nameEnd: number;
  end: number;
  number: number;
  isContent: boolean;
}

const recordHeaderBytes = 9;

/** As far as they are complete. */
function* records(buffer: Buffer): Generator<CollectedRecord> {
  for (let start = 0; start + recordHeaderBytes <= buffer.length; ) {
    const isContent = buffer[start] === 0x43; /* C */
    if (!isContent && buffer[start] !== 0x4e /* N */) return;
    const number = buffer.readUInt32LE(start + 5);
    const nameEnd = start + recordHeaderBytes + buffer.readUInt32LE(start + 1);
    const end = isContent ? nameEnd + number : nameEnd;
    if (end > buffer.length) return;
    yield { start, nameEnd, end, number, isContent };
    start = end;
  }
}

/**
 * Collects from a directory of this host, which a script that still runs may change meanwhile. The
 * work is done in the thread pool.
 *
 * @param directory its path, which must not end in a symbolic link, or a descriptor
 * @throws ScriptdError EINVAL, see `checkPatterns`; ENOENT, ENOTDIR, EACCES and so on when the
 * directory cannot be opened; EIO when it can't be searched for want of memory.
 */
export async function collectFrom(
  directory: string | number,
  order: CollectOrder,
): Promise<Collected> {
  const encoded = encodeCollectOrder(order).subarray(4);
  try {
    return readCollected(await addon.collect(directory, encoded));
  } catch (cause) {
    const errno = (cause as { errno?: number }).errno;
    const code = errno === undefined ? 'EIO' : (getSystemErrorMap().get(-errno)?.[0] ?? 'EIO');
    const message = `the files of ${directory} cannot be collected: ${(cause as Error).message}`;
    throw new ScriptdError(code, `${message} (${code})`, {
      ...(errno !== undefined && { errno }),
      cause,
    });
  }
}

function decodeName(bytes: Buffer): { name: string; valid: boolean } {
  const name = bytes.toString();
  return { name, valid: Buffer.from(name).equals(bytes) };
}

function sorted<T>(byName: Map<string, T>): [string, T][] {
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1));
}
