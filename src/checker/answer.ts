import type { FormatFault } from '../task.js';

/** What a check says of an output. */
export type Answer =
  | { kind: 'passed' }
  | { kind: 'mismatch'; format: FormatFault }
  /** The check itself is of no use: not valid, too slow, too large. A sentence without a full stop. */
  | { kind: 'failed'; message: string }
  /** An error of ours. */
  | { kind: 'fault'; message: string };

export const passed: Answer = { kind: 'passed' };

/** Why a check is refused when a task is submitted. */
export interface CheckFault {
  /** E.g. `check.pattern`. */
  field: string;
  /** One sentence: what is wrong, and the cure. */
  message: string;
}
