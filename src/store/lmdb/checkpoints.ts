import { ScriptdError } from '../../errors.js';
import { lmdbStoreLimits } from '../limits.js';
import { type Environment, fileBytesOf } from './environment.js';
import { causeOf, requireRoom, roomFor, storeFault } from './faults.js';
import { Journal } from './journal.js';
import type { Position } from './journal-record.js';
import type { Layer } from './layer.js';
import { Memtables } from './memtables.js';

export interface CheckpointsOptions {
  environment: Environment;
  /** Told once another process has opened the store for writing. */
  onTaken: () => void;
  /** Told when there is no journal: commits are slower then, and nothing else. */
  onJournalFailed: (error: unknown) => void;
}

/**
 * Makes commits durable: in the journal, which is quick, and later many of them together in the
 * databases (a checkpoint), off the event loop and while others go into the journal. Where there is
 * no journal, or a commit is too large for it, the databases are given it at once.
 */
export class Checkpoints {
  readonly memtables: Memtables;
  readonly #environment: Environment;
  readonly #journal: Journal;
  readonly #onTaken: () => void;
  readonly #onJournalFailed: (error: unknown) => void;
  /** How far the journal had come when `memtables` was frozen. */
  #frozenAt: Position;
  #running: Promise<ScriptdError | undefined> | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Set for good once the databases can't be written any more. */
  #broken: ScriptdError | undefined;

  constructor({ environment, onTaken, onJournalFailed }: CheckpointsOptions) {
    this.#environment = environment;
    this.#onTaken = onTaken;
    this.#onJournalFailed = onJournalFailed;
    this.memtables = new Memtables(environment.databases);
    this.#journal = new Journal(environment);
    this.#frozenAt = this.#journal.position;
  }

  /**
   * Makes it durable. One at a time.
   *
   * @returns STORE_FULL or another fault of a store: then nothing of it is there
   */
  async write(layer: Layer): Promise<ScriptdError | undefined> {
    if (this.#broken) return this.#broken;
    try {
      this.#requireRoom(layer);
    } catch (error) {
      return storeFault(error, this.#environment.directory);
    }
    const record = await this.#recordOf(layer);
    if (!record || !(await this.#append(record))) return this.#writeAll(layer);
    if (!this.#environment.isOwned()) return this.#taken();
    this.#journal.advance(record);
    this.memtables.add(layer);
    this.#startInTime();
    return undefined;
  }

  /**
   * Resolves once the databases have everything that has been written up to now.
   *
   * @throws ScriptdError STORE_FULL and the other codes of a store
   */
  async checkpoint(): Promise<void> {
    while (this.#running) await this.#running;
    const wasFrozen = this.memtables.isFrozen;
    const fault = await this.#start();
    if (fault) throw fault;
    // That was what one that failed had left, and not what has come since.
    if (wasFrozen) await this.checkpoint();
  }

  /**
   * Gives the databases what is left and lets go of the journal. Where that fails, the journal stays
   * for whoever opens the store next. Nothing may be written any more.
   */
  async close(): Promise<void> {
    while (this.#running) await this.#running;
    clearTimeout(this.#timer);
    const fault = this.memtables.size > 0 ? (this.#broken ?? (await this.#writeAll())) : undefined;
    await this.#journal.close({ keep: fault !== undefined });
  }

  /** Undefined: the journal can't take it. */
  async #recordOf(layer: Layer): Promise<Buffer | undefined> {
    const journal = this.#journal;
    journal.make(this.#onJournalFailed);
    let record = journal.recordOf(layer);
    // The other file is free once the databases have what it has: what was frozen, and then the rest.
    while (record === 'full' && this.memtables.size > 0) {
      const fault = await (this.#running ?? this.#start());
      if (fault) break;
      record = journal.recordOf(layer);
    }
    return record === 'full' ? undefined : record;
  }

  /** False: the journal failed, and is not used any more. */
  async #append(record: Buffer): Promise<boolean> {
    try {
      await this.#journal.append(record);
      return true;
    } catch (error) {
      this.#journal.abandon();
      this.#onJournalFailed(storeFault(error, this.#environment.directory));
      return false;
    }
  }

  /** Begins a checkpoint when there is enough for one, or some time later. */
  #startInTime(): void {
    const { checkpointChanges, checkpointBytes, checkpointMs } = lmdbStoreLimits;
    const { size, bytes } = this.memtables.active;
    if (size >= checkpointChanges || bytes >= checkpointBytes) {
      if (!this.#running) void this.#start();
      return;
    }
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (!this.#running) void this.#start();
    }, checkpointMs).unref();
  }

  /** A checkpoint of what is frozen, or of what has come. None may be running. */
  #start(): Promise<ScriptdError | undefined> {
    const { memtables } = this;
    if (!memtables.isFrozen) {
      if (memtables.size === 0) return Promise.resolve(this.#broken);
      memtables.freeze();
      this.#frozenAt = this.#journal.position;
    }
    return this.#commit(this.#frozenAt, {
      write: () => memtables.writeFrozen(),
      done: () => memtables.frozenWritten(),
    });
  }

  /** Gives the databases everything, and `more`. Nothing may be appended meanwhile. */
  async #writeAll(more?: Layer): Promise<ScriptdError | undefined> {
    while (this.#running) await this.#running;
    const { memtables } = this;
    return this.#commit(this.#journal.position, {
      write: () => memtables.writeAll(more),
      done: () => memtables.allWritten(more),
    });
  }

  #commit(
    position: Position,
    steps: { write: () => void; done: () => void },
  ): Promise<ScriptdError | undefined> {
    const running = this.#committed(position, steps).finally(() => {
      this.#running = undefined;
    });
    this.#running = running;
    return running;
  }

  async #committed(
    position: Position,
    { write, done }: { write: () => void; done: () => void },
  ): Promise<ScriptdError | undefined> {
    if (this.#broken) return this.#broken;
    try {
      this.#requireRoom();
    } catch (error) {
      return storeFault(error, this.#environment.directory);
    }
    try {
      if (!(await this.#environment.commit(write, position))) return this.#taken();
      done();
      this.#journal.release(position);
      return undefined;
    } catch (failure) {
      this.memtables.forgetRecent();
      const fault = storeFault(await causeOf(failure), this.#environment.directory);
      this.#broken = this.#probe();
      return this.#broken ?? fault;
    }
  }

  /**
   * For what the databases are still to be given, before LMDB finds out: where a write(2) fails,
   * lmdb-js 3.5.6 prints into a buffer that is too short (mdb.c, mdb_page_flush), which may end the
   * process.
   *
   * @throws ScriptdError STORE_FULL
   */
  #requireRoom(more?: Layer): void {
    const { directory } = this.#environment;
    const size = this.memtables.size + (more?.size ?? 0);
    const bytes = this.memtables.bytes + (more?.bytes ?? 0);
    requireRoom(directory, roomFor({ size, bytes }, fileBytesOf(directory)));
  }

  #taken(): ScriptdError {
    if (this.#broken) return this.#broken;
    this.#broken = new ScriptdError(
      'STORE_TAKEN',
      `another process has opened the store in ${this.#environment.directory} for writing`,
    );
    this.#onTaken();
    return this.#broken;
  }

  /**
   * After a failure: whether another transaction can begin. When the meta page could not be written
   * LMDB allows no more (MDB_PANIC), and lmdb-js's own thread would wait for ever.
   */
  #probe(): ScriptdError | undefined {
    const { root, directory } = this.#environment;
    try {
      root.transactionSync(() => undefined);
      return undefined;
    } catch (error) {
      return storeFault(error, directory);
    }
  }
}
