import type { Histogram } from '../histogram.js';
import type { Ending } from '../scheduler/endings.js';
import type { AttemptRecord, CancelRecord, Retry, TaskSpec, TaskState, TaskView } from '../task.js';
import type { Outcome } from '../verdict.js';
import type { Delivery } from '../webhook.js';

/** What a submission's acknowledgement means: on disk, with the operating system, in memory. */
export type Durability = TaskView['durability'];

/** A task as it is submitted. `view.state` is `pending`. */
export interface Submission {
  view: TaskView;
  /** Its `idempotencyKey` is held for the task; its `retry` comes back in the index record. */
  spec: TaskSpec;
}

/** What became of a submission: a new task, or the one that its idempotency key stands for. */
export type Submitted = { view: TaskView } | { existing: string };

/** An attempt begins. */
export interface Claim {
  taskId: string;
  /** `view.startedAt` and `view.worker` are taken from it. */
  attempt: AttemptRecord;
  /** Attempts that count so far, this one included; absent: one more than before. */
  tried?: number;
}

/** An attempt ended and the task is pending again. */
export interface Requeue {
  taskId: string;
  /** The attempt as it ended. */
  attempt: AttemptRecord;
  /** When it is tried again; absent: at once. */
  nextAttemptAt?: number;
  /** Attempts that count so far; absent: as many as before. One that never began does not. */
  tried?: number;
  /** Workers that were lost with it so far; absent: as many as before. */
  workerDeaths?: number;
}

/** A task is finished. */
export interface Completion {
  taskId: string;
  /** The last attempt as it ended; absent when none had begun. */
  attempt: AttemptRecord | undefined;
  ending: Ending;
  finishedAt: number;
  timeline: TaskView['timeline'];
  /** Its attempts are used up by no doing of its own. */
  deadLetter?: true;
}

/** Small changes of a task. What is absent stays; null takes away. */
export interface Touch {
  taskId: string;
  changes: {
    cancel?: CancelRecord;
    priority?: number;
    score?: number;
    runAt?: number | null;
    expiresAt?: number | null;
    nextAttemptAt?: number | null;
  };
}

/** A finished task is to be sent again, as the same task. */
export interface Resubmission {
  taskId: string;
  /** Instead of what it had, which counted from its first submission. */
  runAt?: number;
  expiresAt?: number;
}

/** What the controller holds of an unfinished task. Small: a million of them are read at start. */
export interface IndexRecord {
  id: string;
  type: string;
  state: Exclude<TaskState, 'finished'>;
  priority: number;
  /** What the evaluator gave it when it was submitted. */
  score?: number;
  group?: string;
  createdAt: number;
  runAt?: number;
  expiresAt?: number;
  nextAttemptAt?: number;
  wallMs: number;
  /** As its spec has it: its runtime's policy is not in it. */
  retry?: Retry;
  /** Number of the current or last attempt; 0 before the first. */
  attempt: number;
  /** Of `attempt`, those that do not count: before it was last sent again, or that never began. */
  attemptsBefore: number;
  workerDeaths: number;
  /** Of the running attempt. */
  worker?: string;
  startedAt?: number;
  /** It was to be cancelled. */
  cancel?: CancelRecord;
  /** Of its spec, as it is stored. */
  bytes: number;
}

/** What tasks a query is for: those that fit everything that is given. */
export interface TaskFilter {
  state?: TaskState;
  type?: string;
  outcome?: Outcome;
  group?: string;
  tag?: string;
  deadLetter?: true;
  /**
   * Stands in its id, group, tags, worker, code, reason or script; large and small letters are the
   * same. A page looks at fewer tasks then.
   */
  text?: string;
}

export interface TaskQuery extends TaskFilter {
  /** `next` of the page before. */
  cursor?: string;
  /** Most tasks in one page, at least 1. */
  limit: number;
}

export interface TaskPage {
  /** Newest submission first, without bulk. May be fewer than `limit`, even none, before the end. */
  tasks: TaskView[];
  /** Where to go on; absent at the end. Each page is further than the one before. */
  next?: string;
}

/** What a scoring rule is replayed over. Times in milliseconds since 1970-01-01 UTC. */
export interface HistoryRecord {
  id: string;
  type: string;
  group?: string;
  priority: number;
  createdAt: number;
  /** Of the last attempt; absent when none had begun. */
  startedAt?: number;
  finishedAt: number;
}

/** A small thing by itself, e.g. a paused type or a schedule. `kind` and `id`: at most 255 bytes. */
export interface StoredDocument {
  kind: string;
  id: string;
  /** Anything that MessagePack can hold; at most a few KiB. */
  value: unknown;
}

/** A finished task that somebody is still to be told of. */
export interface OwedDelivery {
  taskId: string;
  /** Whom, e.g. https://example.com */
  origin: string;
  /** Of its next attempt. */
  dueAt: number;
}

export interface StoreStats {
  pending: number;
  running: number;
  finished: number;
  /** Specs of tasks that are not finished. */
  unfinishedBytes: number;
  /** Specs and results of finished tasks: what `retentionBytes` bounds. */
  finishedBytes: number;
  /** Size of the file; 0 of a store in memory. */
  fileBytes: number;
  /** Batches that wait to be durable. */
  writesWaiting: number;
  /** How long the oldest of them has waited, in milliseconds; 0 when none waits. */
  oldestWriteMs: number;
}

/** How a store's commits went, since the process began. */
export interface CommitFigures {
  /** How long each took, waiting for the disk included. Seconds. */
  readonly seconds: Histogram;
  /** Batches that shared it. */
  readonly batches: Histogram;
  /** Keys and values that were written. */
  bytes: number;
  failed: number;
}

/**
 * Where tasks are kept. Everything comes in batches, and each promise is fulfilled once its batch
 * has the store's durability; batches of one turn share a commit, and take effect in the order in
 * which they were handed in. A batch is whole or not at all: when its promise is rejected, nothing
 * of it is there, and the store goes on. More than one process may write: nothing outside the store
 * may be taken for the whole truth about a task.
 *
 * Writing fails with ScriptdError STORE_FULL (no room on the disk), STORE_READ_ONLY, STORE_TAKEN
 * (another process has opened it for writing) or STORE_FAILED (anything else; the disk is to be
 * looked at). Reading fails with STORE_CORRUPT when what is there can't be.
 */
export interface TaskStore {
  readonly durability: Durability;
  /** Absent where nothing is committed. */
  readonly commits?: CommitFigures;
  /** One for each, in the order of the batch. Of two with the same idempotency key the first counts. */
  submit(submissions: readonly Submission[]): Promise<Submitted[]>;
  /**
   * Of a task that is finished, or is not there any more, nothing changes: a write that failed may come
   * after what followed it.
   */
  claim(claims: readonly Claim[]): Promise<void>;
  /** As `claim`. */
  requeue(requeues: readonly Requeue[]): Promise<void>;
  /**
   * The finished tasks with bulk, in the order of the batch. With one that has a webhook its delivery
   * is kept, due at once.
   */
  complete(completions: readonly Completion[]): Promise<TaskView[]>;
  /** Tasks that are not there are left out; of a finished one only `cancel` is changed. */
  touch(touches: readonly Touch[]): Promise<void>;
  /**
   * Sends finished tasks again: pending, as the newest submission, with their attempts so far and
   * without their result and its delivery. One for each: the task, or undefined where there is no finished one.
   */
  resubmit(resubmissions: readonly Resubmission[]): Promise<(TaskView | undefined)[]>;
  /** What a worker needs to run the task; kept as long as the task is. Undefined: no such task. */
  readSpec(taskId: string): Promise<TaskSpec | undefined>;
  /**
   * The task as it stands; undefined when there is no such task (any more).
   *
   * @param options.bulk with stdout, stderr, files and exception (default true)
   */
  readView(taskId: string, options?: { bulk?: boolean }): Promise<TaskView | undefined>;
  /** All tasks that are not finished, in order of submission, in chunks. For the start. */
  unfinished(): AsyncIterable<IndexRecord[]>;
  /**
   * One page of tasks, at bounded cost whatever is kept.
   *
   * @throws ScriptdError BAD_CURSOR
   */
  query(query: TaskQuery): Promise<TaskPage>;
  /**
   * Dead letters that are kept, counted up to `most`, at bounded cost. What was written in the last
   * moments may not be in it.
   */
  countDeadLetters(most: number): Promise<number>;
  /** Deliveries that are due, `from` ≤ dueAt < `to`, in order of that, in chunks. */
  owedDeliveries(range: { from: number; to: number }): AsyncIterable<OwedDelivery[]>;
  /** Of the last end of a finished task; undefined: it has none, or is not finished. */
  readDelivery(taskId: string): Promise<Delivery | undefined>;
  /** False, and nothing is changed: the task's last end is another by now, or it is gone. */
  noteDelivery(taskId: string, delivery: Delivery): Promise<boolean>;
  getDocument(kind: string, id: string): Promise<unknown>;
  /** In order of their ids. */
  listDocuments(kind: string): Promise<StoredDocument[]>;
  putDocument(document: StoredDocument): Promise<void>;
  deleteDocument(kind: string, id: string): Promise<void>;
  /** Finished tasks that are kept, in the order in which they finished, `from` ≤ finishedAt < `to`. */
  history(range: { from: number; to: number }): AsyncIterable<HistoryRecord[]>;
  stats(): StoreStats;
  /** Waits for what was handed in, then lets go of everything. */
  close(): Promise<void>;
}
