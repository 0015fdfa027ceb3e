import { invariant } from '../invariant.js';
import { limits } from '../limits.js';

/** Limits of one worker. Durations in milliseconds. */
export const workerLimits = {
  /** Attempts that may wait, for each slot: enough that a slot never waits for the wire. */
  queuedPerSlot: 2,
  /** Attempts that the controller may send beyond the slots. */
  prefetchMax: 16,
  /** A worker that finds no controller for so long exits. */
  /** Wait before a lost controller is connected to again: doubles from the first to the second. */
  joinMsMin: 50,
  joinMsMax: 2_000,
  /** A connection that held so long makes the waits short again. */
  joinResetMs: 2_000,
  orphanMsDefault: 55_000,
  /** From the order to drain until what still runs is ended. */
  drainMsDefault: 30_000,
  /** Processes held ready for tasks to come, of each sort of demand. */
  readyMax: 32,
  /** Cgroups made ahead. */
  readyCgroupsMax: 4,
  /** From the taking of one to the making of another, and from that to the next that is missing. */
  readyCgroupMs: 2,
  /** Sorts of demand for which processes are held ready. */
  poolsMax: 4,
  /** How long a burst of demand is remembered. */
  demandMs: 30_000,
  /** Processes forked from one fork server before another takes its place. */
  forkServerRunsMax: 10_000,
  /** Before a fork server that died is replaced; doubled as often as its successor dies too. */
  forkServerWaitMsMin: 50,
  forkServerWaitMsMax: 30_000,
  /** Between two looks at the processor time of a run's processes: at least. */
  cpuCheckMs: 10,
  /** Given to the processes that were told to die, and after a drain to the acknowledgements. */
  closeMs: 5_000,
  /** Given to the controller to read what was sent to it before. */
  lingerMs: 500,

  /** Of the record that says how a script ended; collected files follow it. */
  endedBytes: 5,
  /** Read from each pipe once the process has ended: more than a pipe holds. */
  pipeBytesMax: 1024 * 1024,
  /** A process that cannot be watched, and was killed for it, is looked for so often. */
  unwatchedCheckMs: 10,
  unwatchedChecksMax: 500,
  /** What a run left running is killed so often, at intervals; longer is not waited for it. */
  leftoverPassesMax: 200,
  leftoverPauseMs: 25,
  /** User ids set apart for each worker: as many as it may have sandboxes, with 4,096 slots. */
  scriptIds: 16_384,
  /** First allocation for a captured stream; doubled as output comes. */
  captureBytesFirst: 4 * 1024,
  /** Of stderr, looked at for the report of an uncaught exception. */
  reportBytesMax: 64 * 1024,
  /** Of an exception's message, quoted in the reason. */
  messageCharactersMax: 500,

  /** Results that are sent but not read yet; the rest waits here until the controller reads on. */
  sendWindowBytes: 32 * 1024 * 1024,
  /** Held for a controller that does not acknowledge; past it new attempts are refused. */
  unacknowledgedBytesMax: 512 * 1024 * 1024,
  /** Of a result, beside its outputs: for the account of what is held. */
  resultBytesOverhead: 512,
  /** Results held at all; past it the controller's connections are closed. */
  unacknowledgedMax: 32_768,

  /** Output for whoever follows a run waits so long for more, unless it fills a message. */
  coalesceMs: 20,
  /** Those who follow at once; further ones see the result. */
  followsMax: 16_384,

  /** For an interpreter to say where it lives. */
  resolveMs: 15_000,
  /** Entries removed from one work directory before giving up. */
  removedEntriesMax: 1_000_000,
  /** Entries removed at the same time. */
  removedAtOnce: 32,
  /** Passes over a work directory that still gets new entries. */
  removalPassesMax: 5,
  /** Before the second pass; before each further one as much more. */
  removalPauseMs: 20,
} as const;

invariant(
  workerLimits.unacknowledgedBytesMax > 2 * limits.frameBytesMax,
  'one result alone never makes a worker refuse attempts',
);
invariant(
  workerLimits.sendWindowBytes >= limits.frameBytesMax,
  'the largest result fits into the window',
);
