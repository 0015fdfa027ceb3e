import { invariant } from '../invariant.js';

/** Limits of checks. Durations in milliseconds. */
export const checkerLimits = {
  /** Of one check, compiling it included; past it the output is refused. */
  checkMs: 2_000,
  /** A process that has not answered so much later is killed. */
  killGraceMs: 500,
  /** Given to a new process until it takes checks. */
  startMs: 15_000,
  /** A process without work ends after this. */
  idleMs: 60_000,
  /** JavaScript heap of one process, in MiB: a parsed output takes many times its bytes. */
  heapMebibytesMax: 256,
  /** Processes of one part. */
  processesMax: 4,
  /** Checks that wait for a process. */
  waitingMax: 4_096,
  /** Compiled checks that a process remembers. */
  compiledMax: 64,
  /** A checker script has at least so long, when the script took most of the task's wall limit. */
  scriptMsMin: 2_000,
  /** Of what a checker script says, quoted in the reason. */
  quotedCharactersMax: 500,
} as const;

invariant(
  checkerLimits.scriptMsMin < 3_000 && checkerLimits.checkMs + checkerLimits.killGraceMs < 3_000,
  'a check ends before the controller takes the attempt for overdue (overdueGraceMs)',
);
