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

export function fits(task: Filtered, filter: TaskFilter): boolean {
  const { state, type, outcome, group, tag, deadLetter } = filter;
  if (state !== undefined && task.state !== state) return false;
  if (type !== undefined && task.type !== type) return false;
  if (outcome !== undefined && task.outcome !== outcome) return false;
  if (group !== undefined && task.group !== group) return false;
  if (tag !== undefined && !task.tags.includes(tag)) return false;
  return deadLetter === undefined || task.deadLetter === true;
}

/** A cursor is the number of the last submission that was looked at: only older ones follow. */
export function formatCursor(sequence: number): string {
  return sequence.toString(36);
}

/**
 * The number that a page starts below.
 *
 * @throws ScriptdError BAD_CURSOR
 */
export function parseCursor(cursor: string | undefined): number {
  if (cursor === undefined) return Number.MAX_SAFE_INTEGER;
  const sequence = /^[0-9a-z]{1,11}$/.test(cursor) ? Number.parseInt(cursor, 36) : Number.NaN;
  if (Number.isSafeInteger(sequence)) return sequence;
  throw new ScriptdError('BAD_CURSOR', 'the cursor is not one: use `next` of the page before');
}
