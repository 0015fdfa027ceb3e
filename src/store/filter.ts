import { crc32 } from 'node:zlib';
import { ScriptdError } from '../errors.js';
import type { TaskState } from '../task.js';
import type { Outcome } from '../verdict.js';
import type { TaskFilter } from './port.js';

/** What a filter looks at. */
export interface Filtered {
  state: TaskState;
  type: string;
  outcome?: Outcome | undefined;
  group?: string | undefined;
  tags: readonly string[];
  deadLetter?: true | undefined;
}

/** All of the filter but its text, which is looked for last: TextSearch. */
export function fits(task: Filtered, filter: TaskFilter): boolean {
  const { state, type, outcome, group, tag, deadLetter } = filter;
  if (state !== undefined && task.state !== state) return false;
  if (type !== undefined && task.type !== type) return false;
  if (outcome !== undefined && task.outcome !== outcome) return false;
  if (group !== undefined && task.group !== group) return false;
  if (tag !== undefined && !task.tags.includes(tag)) return false;
  return deadLetter === undefined || task.deadLetter === true;
}

/**
 * A cursor is the number of the last submission that was looked at: only older ones follow. Eight
 * bytes of it and four of a checksum, so that what was never handed out is known as such.
 */
export function formatCursor(sequence: number): string {
  const bytes = Buffer.alloc(cursorBytes);
  bytes.writeBigUInt64BE(BigInt(sequence));
  bytes.writeUInt32BE(crc32(bytes.subarray(0, sequenceBytes)), sequenceBytes);
  return bytes.toString('base64url');
}

/**
 * The number that a page starts below.
 *
 * @throws ScriptdError BAD_CURSOR
 */
export function parseCursor(cursor: string | undefined): number {
  if (cursor === undefined) return Number.MAX_SAFE_INTEGER;
  const bytes = Buffer.from(cursor, 'base64url');
  if (bytes.length === cursorBytes) {
    const sequence = Number(bytes.readBigUInt64BE());
    // Compared as text: more than one text stands for the same bytes, and numbers may be too large.
    if (Number.isSafeInteger(sequence) && formatCursor(sequence) === cursor) return sequence;
  }
  throw new ScriptdError('BAD_CURSOR', 'the cursor is not one: use `next` of the page before');
}

const sequenceBytes = 8;
const cursorBytes = sequenceBytes + 4;
