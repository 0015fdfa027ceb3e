import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { errorMessage } from '../../src/errors.js';

const run = promisify(execFile);

/** What one measurement found: a number for each quantity, less of which is better. */
export interface Findings {
  values: ReadonlyMap<string, number>;
  /** Why the others can't be measured on this host: beginnings of their names, and a sentence. */
  unmeasured: readonly { of: string; why: string }[];
}

/** Measures some quantities once. */
export interface Probe {
  /** What the names of its quantities begin with. */
  of: readonly string[];
  /** @param repetition from 0: what may vary without that anything is different, varies with it */
  measure(repetition: number): Promise<Findings>;
}

/**
 * Why a program that a probe needs can't do its work here, if so.
 *
 * @param args something short that it would do
 */
export async function whyUnusable(program: string, args: readonly string[]) {
  try {
    await run(program, args);
    return undefined;
  } catch (error) {
    return `${program} does not work here: ${errorMessage(error)}`.trim().replaceAll('\n', ' ');
  }
}
