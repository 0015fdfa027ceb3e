import type { Check } from '../task.js';

/** To a checker process: compile the check, and judge an output by it if there is one. */
export interface Job {
  check: Pick<Check, 'schema' | 'pattern' | 'flags'>;
  output?: Uint8Array;
}

/** From a checker process, once, when it takes jobs. */
export const ready = 'ready';
