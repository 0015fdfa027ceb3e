import { execFileSync } from 'node:child_process';
import type { Poller } from '../../src/poll/poller.js';
import { runPlain } from '../programs.js';
import { peerProgram } from './program.js';

/** The sandbox of programming contests, https://github.com/ioi/isolate. */
export const isolate = peerProgram(
  'isolate',
  'BENCH_ISOLATE',
  'build https://github.com/ioi/isolate (make install), ' +
    'then put it into PATH or its path into BENCH_ISOLATE',
);

export interface IsolateBox {
  /** Throws unless the program ends with 0 and prints `expected`. */
  run(argv: readonly string[], expected: string): Promise<void>;
  remove(): void;
}

/** Of the box that the bench has: far from those that others begin with. */
const box = '--box-id=900';

/**
 * One box, made now and used for each run, which is the least that isolate can do: a box of their own
 * for each, as scripts have here, would cost its making and removal too.
 */
export function openIsolateBox(program: string, poller: Poller): IsolateBox {
  execFileSync(program, [box, '--init'], { stdio: ['ignore', 'ignore', 'inherit'] });
  return {
    async run(argv, expected) {
      const flags = [box, '--silent', '--processes=256', '--env=PATH=/usr/bin:/bin', '--run', '--'];
      const said = await runPlain(poller, [program, ...flags, ...argv]);
      if (said !== expected) throw new Error(`isolate printed ${JSON.stringify(said)}`);
    },
    remove() {
      execFileSync(program, [box, '--cleanup'], { stdio: ['ignore', 'ignore', 'inherit'] });
    },
  };
}
