import { limits } from '../limits.js';
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
  const misfit = nests(message, limits.frameDepthMax)
    ? `it is nested deeper than ${limits.frameDepthMax}`
    : messageMisfit(message);
  return misfit === undefined ? result : untellable(misfit);
}

/** In place of a result that no message can have. */
export function untellable(why: string): Result {
  return unrun(internalFault(`its result cannot be told: ${why}`));
}

/** Whether maps and arrays stand in each other more than `depthMax` times, the outermost included. */
function nests(value: unknown, depthMax: number): boolean {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return false;
  if (depthMax === 0) return true;
  for (const name in value) {
    if (nests((value as Record<string, unknown>)[name], depthMax - 1)) return true;
  }
  return false;
}
