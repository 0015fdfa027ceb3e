import { invariant } from '../invariant.js';

/** What the memory store keeps of finished tasks; the oldest go first. */
export const memoryStoreLimits = {
  finishedTasksMax: 10_000,
  finishedBytesMax: 128 * 1024 * 1024,
} as const;

/** Of every store. */
export const storeLimits = {
  /** How long an idempotency key stands for its task, from its submission. */
  idempotencyKeyMs: 24 * 60 * 60 * 1000,
  /** Of a document's kind, and of its id. */
  documentNameBytesMax: 255,
  /** Rows that one page of a query looks at; what it finds among them is the page. */
  queryRowsMax: 2_000,
  /** Tasks in one page. */
  queryTasksMax: 1_000,
  /** Tasks whose scripts one page of a search reads, and bytes of their specs; of one task, all. */
  searchTasksMax: 500,
  searchBytesMax: 4 * 1024 * 1024,
  /** Records in one chunk of `unfinished` and `history`. */
  chunkRecords: 512,
} as const;

/** Of the LMDB store. */
export const lmdbStoreLimits = {
  /** Of the memory map: address space, not memory. A file can't grow past it. */
  mapBytesMax: 1024 ** 4,
  databasesMax: 24,
  /** Of LMDB, as of most systems. */
  pageBytes: 4_096,
  /** About what a change takes that has no bytes of its own: a row or a task without what is large. */
  recordBytes: 512,
  /** Finished tasks, or idempotency keys, that one commit of the retention takes away. */
  sweepTasksMax: 100,
  /** Between two looks for what has become too old or too much. */
  sweepEveryMs: 10_000,
  /** A wall clock that went ahead by more than this has jumped. */
  jumpMs: 60_000,
  /** So long it must stand there before anything is taken away for its age. */
  jumpBelievedMs: 60 * 60 * 1000,
  /** So much room is left on its file system: with less, nothing is written. */
  fullBelowBytes: 1024 * 1024,
  /** What nobody waits for is written so long after it was handed in, where nothing else is before. */
  lazyCommitMs: 5,
  /** Of each of the two files of the journal. */
  journalBytes: 4 * 1024 * 1024,
  /** So much room must be left beside the journal's files for them to be made. */
  journalRoomBytes: 32 * 1024 * 1024,
  /** The event loop itself writes records up to this… */
  journalWaitBytes: 16 * 1024,
  /** …while the last ones have taken less than this. */
  journalWaitMs: 1,
  /** After files of the journal could not be made, they are tried again so much later. */
  journalRetryMs: 10_000,
  /** What the journal has is given to the databases so long after the first of it was written… */
  checkpointMs: 500,
  /** …or as soon as it has so many changes, so that none of them takes long, … */
  checkpointChanges: 4_096,
  /** …or so many bytes: half a file is left for what comes meanwhile. */
  checkpointBytes: 2 * 1024 * 1024,
  /** Records of one database that are kept decoded after they were written. */
  recentMax: 4_096,
  /** Lines that an import commits together. */
  importLinesMax: 256,
} as const;

export const retentionDefaults = {
  retentionMs: 7 * 24 * 60 * 60 * 1000,
  retentionBytes: 10 * 1024 ** 3,
} as const;

invariant(
  storeLimits.searchTasksMax <= storeLimits.queryRowsMax,
  'a search never looks at more than another query',
);
invariant(
  storeLimits.queryTasksMax <= storeLimits.queryRowsMax,
  'a page can have as many tasks as it may have rows',
);
