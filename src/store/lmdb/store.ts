import { type Clock, systemClock } from '../../clock.js';
import { ScriptdError } from '../../errors.js';
import type { TaskSpec, TaskView } from '../../task.js';
import type { Delivery } from '../../webhook.js';
import { lmdbStoreLimits, retentionDefaults } from '../limits.js';
import type {
  Claim,
  CommitFigures,
  Completion,
  HistoryRecord,
  IndexRecord,
  OwedDelivery,
  Requeue,
  Resubmission,
  StoredDocument,
  StoreStats,
  Submission,
  Submitted,
  TaskPage,
  TaskQuery,
  TaskStore,
  Touch,
} from '../port.js';
import type { Changes } from './changes.js';
import { Commits } from './commits.js';
import { noteDelivery } from './deliveries.js';
import {
  type Environment,
  type EnvironmentOptions,
  fileBytesOf,
  openEnvironment,
} from './environment.js';
import { storeFault } from './faults.js';
import { documentKey } from './keys.js';
import { Reader } from './reader.js';
import { encode } from './records.js';
import { type Retention, sweepKeys, sweepTasks } from './retention.js';
import { SteadyTime } from './steady-time.js';
import * as tasks from './tasks.js';

export interface LmdbStoreOptions extends EnvironmentOptions, Partial<Retention> {
  clock?: Clock;
  /** Told when the retention could not write; it tries again by itself. */
  onSweepFailed?: (error: unknown) => void;
  /** Told of tasks that the retention took away before their webhooks were told. */
  onUndelivered?: (taskIds: string[]) => void;
  /** Told once another process has opened it for writing: this one never writes again. */
  onTaken?: () => void;
  /** Told when its journal can't be written: it goes on without, and is slower. */
  onJournalFailed?: (error: unknown) => void;
}

/**
 * Tasks in an LMDB file, with a journal before it. One process writes, others may read what the file
 * has. It grows to the most that was ever in it at once: what goes leaves free pages, which later
 * writes use first.
 */
export class LmdbStore implements TaskStore {
  readonly durability: 'fsync' | 'os';
  readonly #environment: Environment;
  readonly #commits: Commits;
  readonly #reader: Reader;
  readonly #retention: Retention;
  readonly #time: SteadyTime;
  readonly #onUndelivered: (taskIds: string[]) => void;
  readonly #timer: NodeJS.Timeout;
  #sweeping: Promise<unknown> | undefined;
  #closed = false;

  /** @throws ScriptdError STORE_VERSION, STORE_READ_ONLY, STORE_FULL, STORE_CORRUPT, STORE_FAILED */
  constructor(options: LmdbStoreOptions) {
    const { retentionMs, retentionBytes } = { ...retentionDefaults, ...options };
    this.durability = options.durability;
    const clock = options.clock ?? systemClock;
    this.#time = new SteadyTime(clock);
    this.#environment = openEnvironment(options);
    const { onTaken = () => undefined, onJournalFailed = () => undefined } = options;
    this.#commits = new Commits(clock, {
      environment: this.#environment,
      onTaken,
      onJournalFailed,
    });
    this.#reader = new Reader(this.#environment.databases, this.#commits.acknowledged);
    this.#retention = { retentionMs, retentionBytes };
    this.#onUndelivered = options.onUndelivered ?? (() => undefined);
    this.#timer = setInterval(() => {
      this.sweep().catch((error) => options.onSweepFailed?.(error));
    }, lmdbStoreLimits.sweepEveryMs);
    this.#timer.unref();
  }

  get commits(): CommitFigures {
    return this.#commits.figures;
  }

  submit(submissions: readonly Submission[]): Promise<Submitted[]> {
    return this.#add((changes) => tasks.submit(changes, submissions));
  }

  /** What a crash loses of it, the worker tells the next controller. */
  claim(claims: readonly Claim[]): Promise<void> {
    if (this.#closed) return Promise.reject(closed());
    return this.#commits.addLazily((changes) => tasks.claim(changes, claims));
  }

  requeue(requeues: readonly Requeue[]): Promise<void> {
    return this.#add((changes) => tasks.requeue(changes, requeues));
  }

  complete(completions: readonly Completion[]): Promise<TaskView[]> {
    return this.#add((changes) => tasks.complete(changes, completions));
  }

  touch(touches: readonly Touch[]): Promise<void> {
    return this.#add((changes) => tasks.touch(changes, touches));
  }

  resubmit(resubmissions: readonly Resubmission[]): Promise<(TaskView | undefined)[]> {
    return this.#add((changes) => tasks.resubmit(changes, resubmissions));
  }

  async readSpec(taskId: string): Promise<TaskSpec | undefined> {
    return this.#open.spec(taskId);
  }

  async readView(taskId: string, { bulk = true } = {}): Promise<TaskView | undefined> {
    return this.#open.view(taskId, bulk);
  }

  async *unfinished(): AsyncIterable<IndexRecord[]> {
    yield* (await this.#wholeDatabases()).unfinished();
  }

  async query(query: TaskQuery): Promise<TaskPage> {
    return (await this.#wholeDatabases()).query(query);
  }

  async countDeadLetters(most: number): Promise<number> {
    // Of the databases as they are: who looks every second shall not have them written as often.
    return this.#open.deadLetters(most);
  }

  async *owedDeliveries(range: { from: number; to: number }): AsyncIterable<OwedDelivery[]> {
    yield* (await this.#wholeDatabases()).owedDeliveries(range);
  }

  async readDelivery(taskId: string): Promise<Delivery | undefined> {
    return this.#open.delivery(taskId);
  }

  noteDelivery(taskId: string, delivery: Delivery): Promise<boolean> {
    return this.#add((changes) => noteDelivery(changes, taskId, delivery));
  }

  async getDocument(kind: string, id: string): Promise<unknown> {
    return this.#open.document(kind, id);
  }

  async listDocuments(kind: string): Promise<StoredDocument[]> {
    return (await this.#wholeDatabases()).documents(kind);
  }

  putDocument({ kind, id, value }: StoredDocument): Promise<void> {
    return this.#add((changes) => changes.put('documents', documentKey(kind, id), encode(value)));
  }

  deleteDocument(kind: string, id: string): Promise<void> {
    return this.#add((changes) => changes.remove('documents', documentKey(kind, id)));
  }

  async *history(range: { from: number; to: number }): AsyncIterable<HistoryRecord[]> {
    yield* (await this.#wholeDatabases()).history(range);
  }

  stats(): StoreStats {
    const { directory } = this.#environment;
    const { sequence: _, ...counts } = tasks.readCounts(this.#commits.acknowledged);
    return {
      ...counts,
      fileBytes: fileBytesOf(directory),
      writesWaiting: this.#commits.count,
      oldestWriteMs: this.#commits.oldestMs,
    };
  }

  /**
   * Takes away what is too old or too much, one small commit after the other; happens by itself
   * every `sweepEveryMs`.
   *
   * @returns how many tasks and idempotency keys went
   */
  async sweep(): Promise<number> {
    if (this.#sweeping) return 0;
    const sweeping = this.#sweep();
    this.#sweeping = sweeping;
    try {
      return await sweeping;
    } finally {
      this.#sweeping = undefined;
    }
  }

  /** @throws ScriptdError STORE_FAILED: what durability `os` had left to the system is not on disk. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#commits.close();
    const { root } = this.#environment;
    try {
      if (this.durability === 'os') await flush(root);
    } catch (error) {
      throw storeFault(error, this.#environment.directory);
    } finally {
      await root.close();
    }
  }

  async #sweep(): Promise<number> {
    const { databases } = this.#environment;
    let total = 0;
    while (!this.#closed) {
      // Its keys are read from the databases.
      await this.#commits.checkpoint();
      if (this.#closed) break;
      const nowMs = this.#time.nowMs();
      const { removed, undelivered, keys } = await this.#add((changes) => ({
        ...sweepTasks(changes, databases, this.#retention, nowMs),
        keys: sweepKeys(changes, databases, nowMs),
      }));
      if (undelivered.length > 0) this.#onUndelivered(undelivered);
      if (removed + keys === 0) break;
      total += removed + keys;
    }
    return total;
  }

  #add<T>(change: (changes: Changes) => T): Promise<T> {
    return this.#closed ? Promise.reject(closed()) : this.#commits.add(change);
  }

  /** To read from the databases themselves, once they have everything. */
  async #wholeDatabases(): Promise<Reader> {
    if (this.#closed) throw closed();
    await this.#commits.checkpoint();
    return this.#open;
  }

  get #open(): Reader {
    if (this.#closed) throw closed();
    return this.#reader;
  }
}

/** Makes last what the operating system has. lmdb-js's types leave it out. */
function flush(root: Environment['root']): Promise<void> {
  const { sync } = root as unknown as { sync(done: (error: unknown) => void): void };
  return new Promise((resolve, reject) => {
    sync((error) => (error ? reject(error) : resolve()));
  });
}

function closed(): ScriptdError {
  return new ScriptdError('STORE_CLOSED', 'the store is closed');
}
