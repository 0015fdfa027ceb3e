import { close, constants, open, rmSync, write, writeSync } from 'node:fs';
import { open as openFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { lmdbStoreLimits } from '../limits.js';
import { requireRoom } from './faults.js';
import { fileNameOf } from './journal-files.js';
import { type Position, RecordWriter } from './journal-record.js';
import type { Layer } from './layer.js';

export interface JournalOptions {
  /** Of the store. */
  directory: string;
  epoch: number;
  /** That of this epoch. */
  salt: Buffer;
  /** `fsync`: a record is on disk once it is appended. `os`: it is with the operating system. */
  durability: 'fsync' | 'os';
}

/** One of the two files. */
interface File {
  path: string;
  descriptor: number;
  /** Of its records, when the databases may not have them all; else 0. */
  round: number;
}

/**
 * Commits in the order in which they were made, until the databases have them: appending one is one
 * write into a file whose blocks are there already, which a disk makes last about five times as
 * quickly as a commit of LMDB. Two files take turns: while the databases are given what one has, the
 * other is written.
 *
 * The files are made when they are first wanted, off the event loop, and under names of this epoch:
 * whoever had the store before can't touch them.
 */
export class Journal {
  readonly #options: JournalOptions;
  readonly #flushed: boolean;
  readonly #writer = new RecordWriter();
  readonly #files: File[] = [];
  #making: Promise<void> | undefined;
  #current: File | undefined;
  #round = 0;
  #number = 0;
  #offset = 0;
  #closed = false;
  #nextTryMs = 0;
  /** How long the last writes took. */
  #meanMs = 0;

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#flushed = options.durability === 'fsync';
  }

  /** Where the next record will stand. */
  get position(): Position {
    return { round: this.#round, number: this.#number };
  }

  /** Begins to make its files where there are none; what can't be made is tried again later. */
  make(onFailed: (error: unknown) => void): void {
    if (this.#making || this.#closed || this.#files.length > 1) return;
    if (performance.now() < this.#nextTryMs) return;
    this.#nextTryMs = performance.now() + lmdbStoreLimits.journalRetryMs;
    this.#making = this.#makeFiles()
      .catch(onFailed)
      .finally(() => {
        this.#making = undefined;
      });
  }

  /**
   * The record of a commit; good until the next call. `full`: the databases are to be given what the
   * journal has. Undefined: there is no journal, or it is not for as large a commit.
   */
  recordOf(layer: Layer): Buffer | 'full' | undefined {
    // Not written to find out: what it was written into stays as large.
    if (layer.bytes > lmdbStoreLimits.journalBytes) return undefined;
    if (!this.#current && !this.#begin()) return undefined;
    const record = this.#write(layer);
    if (record.length > lmdbStoreLimits.journalBytes) return undefined;
    if (this.#offset + record.length <= lmdbStoreLimits.journalBytes) return record;
    return this.#begin() ? this.#write(layer) : 'full';
  }

  /** The databases have what stands before this position: files that have nothing else are free. */
  release({ round }: Position): void {
    for (const file of this.#files) if (file.round < round) file.round = 0;
  }

  /**
   * Resolves once it is as durable as it is to be; `advance` is next. One at a time. A small one is
   * waited for where the disk is quick: handing it to a thread and hearing of it takes several times as long, on a host
   * whose processors are asleep between two tasks.
   */
  append(record: Buffer): Promise<void> {
    const { journalWaitBytes, journalWaitMs } = lmdbStoreLimits;
    const isQuick = this.#meanMs < journalWaitMs;
    return isQuick && record.length <= journalWaitBytes
      ? this.#appendHere(record)
      : this.#appendAside(record);
  }

  #appendHere(record: Buffer): Promise<void> {
    const startMs = performance.now();
    const { descriptor } = this.#current as File;
    try {
      let written = 0;
      while (written < record.length) {
        const left = record.length - written;
        written += writeSync(descriptor, record, written, left, this.#offset + written);
      }
    } catch (error) {
      return Promise.reject(error);
    }
    this.#appended(startMs);
    return Promise.resolve();
  }

  #appendAside(record: Buffer): Promise<void> {
    const startMs = performance.now();
    const { descriptor } = this.#current as File;
    return new Promise((resolve, reject) => {
      const rest = (from: number) => {
        const position = this.#offset + from;
        write(descriptor, record, from, record.length - from, position, (error, written) => {
          if (error) return reject(error);
          if (from + written < record.length) return rest(from + written);
          this.#appended(startMs);
          return resolve();
        });
      };
      rest(0);
    });
  }

  #appended(startMs: number): void {
    this.#meanMs += 0.1 * (performance.now() - startMs - this.#meanMs);
  }

  /**
   * The next record stands after this one, which was appended. Called together with what makes a
   * checkpoint have it: one that begins before must not take it for written.
   */
  advance(record: Buffer): void {
    this.#offset += record.length;
    this.#number += 1;
  }

  /** Its files are not written any more: they failed. */
  abandon(): void {
    this.#closed = true;
    this.#current = undefined;
    // What was being written stands before that.
    this.#round += 1;
    this.#number = 0;
  }

  /** @param options.keep the databases do not have everything */
  async close({ keep }: { keep: boolean }): Promise<void> {
    this.#closed = true;
    await this.#making;
    for (const { path, descriptor } of this.#files.splice(0)) {
      await promisify(close)(descriptor);
      if (!keep) rmSync(path, { force: true });
    }
  }

  /** Goes on at the start of the other file. False: there is none, or it is not free. */
  #begin(): boolean {
    const next = this.#closed ? undefined : this.#files.find(({ round }) => round === 0);
    if (!next) return false;
    this.#current = next;
    this.#round += 1;
    this.#number = 0;
    this.#offset = 0;
    next.round = this.#round;
    return true;
  }

  #write(layer: Layer): Buffer {
    const { salt } = this.#options;
    return this.#writer.write(layer, { ...this.position, salt, flushed: this.#flushed });
  }

  async #makeFiles(): Promise<void> {
    const { directory } = this.#options;
    for (const number of [0, 1]) {
      if (this.#closed || this.#files.length > number) continue;
      requireRoom(directory, lmdbStoreLimits.journalBytes + lmdbStoreLimits.journalRoomBytes);
      const file = await this.#makeFile(number);
      if (file) this.#files.push(file);
    }
  }

  /** Undefined: it is closed meanwhile. */
  async #makeFile(number: number): Promise<File | undefined> {
    const { directory, epoch } = this.#options;
    const path = join(directory, fileNameOf(epoch, number));
    const file = await openFile(path, 'w', 0o600);
    try {
      // Written, not only reserved: a first write into reserved blocks changes what the file system
      // keeps of them, and waits for its own journal.
      for (let at = 0; at < lmdbStoreLimits.journalBytes && !this.#closed; at += zeros.length) {
        await file.write(zeros, 0, zeros.length, at);
      }
      if (this.#flushed && !this.#closed) await file.sync();
    } catch (error) {
      // A part of it would take room that the databases may want.
      rmSync(path, { force: true });
      throw error;
    } finally {
      await file.close();
    }
    if (this.#closed) {
      rmSync(path, { force: true });
      return undefined;
    }
    if (this.#flushed) await flushFolder(directory);
    const flags = constants.O_WRONLY | (this.#flushed ? constants.O_DSYNC : 0);
    return { path, descriptor: await promisify(open)(path, flags, 0), round: 0 };
  }
}

/** Its files are made by writes of so much. */
export const zeroBytes = 256 * 1024;
const zeros = Buffer.alloc(zeroBytes);

/** The names in it are on disk. */
async function flushFolder(directory: string): Promise<void> {
  const folder = await openFile(directory, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
