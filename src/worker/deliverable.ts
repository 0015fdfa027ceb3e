import type { AttemptKey, Result } from '../task.js';
import { messageMisfit } from '../wire/messages.js';
import { unrun } from './slots.js';
import { internalFault } from './verdict.js';

/**
 * A result that the controller will take. For one that is not as the protocol has it, which is a
 * mistake of ours, it would cut the worker off, and again at each new connection.
 */
export function deliverable(attempt: AttemptKey, result: Result): Result {
  const { taskId } = attempt;
  const message = { kind: 'result', taskId, attempt: attempt.attempt, result };
  const misfit = messageMisfit(message);
  if (misfit === undefined) return result;
  return unrun(internalFault(`its result cannot be told: ${misfit}`));
}
