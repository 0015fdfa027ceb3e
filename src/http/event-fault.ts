import type { Log } from '../log.js';
import { asProblem, internalProblem } from './problem.js';

/**
 * The comment with which an event stream breaks off, and says why. Its client connects again, goes on
 * after its last event, and is told by a status.
 */
export function breakingOff(error: unknown, log: Log): string {
  const known = asProblem(error);
  if (!known) log.error({ err: error }, 'an event stream failed by a fault of ours');
  const { code, detail } = known ?? internalProblem();
  return `: ${code} ${detail.replaceAll(/\s+/g, ' ')}\n\n`;
}
