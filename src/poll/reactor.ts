import { invariant } from '../invariant.js';
import { epollAddon, makeToken, type NativePoller, ROW, tokenSlot } from './native-poller.js';
import { Outbox } from './outbox.js';
import { closedError } from './system-error.js';

/** What the reactor calls, for each event of a handle. */
export interface PollHandle {
  readonly token: number;
  /**
   * @param events EPOLL bits
   * @param result bytes read into the read buffer, 0 at the end, -errno, or NOT_READ
   * @param offset where in the read buffer those bytes begin
   */
  handleEvent(events: number, result: number, offset: number): void;
  close(): void;
}

export interface ReactorOptions {
  eventsMax: number;
  readBufferBytes: number;
  writeBufferBytes: number;
  /** What is written outside of a batch leaves at the end of the loop's iteration. */
  gathersWrites: boolean;
}

/**
 * Hands the events of a batch to their handles, then flushes what they wrote.
 *
 *     kernel ─▶ native: epoll_wait, read ─▶ rows ─▶ handleEvent() per row ─▶ outbox ─▶ native: send
 */
export class Reactor {
  readonly native: NativePoller;
  readonly outbox: Outbox;
  /** What a batch read: overwritten by the next one. */
  readonly readBuffer: Buffer;
  /** Counts the batches; an event reported in batch n says nothing about what was set up in n. */
  batch = 0;
  /** Events handed to a handle. */
  callbacks = 0;
  closed = false;

  readonly #handles: (PollHandle | undefined)[] = [];
  /** Views of the read buffer that a batch handed out, by row: the next often has the same. */
  readonly #chunks: (Buffer | undefined)[] = [];
  readonly #rows: Int32Array;
  #rowNext = 0;
  #rowCount = 0;

  constructor(options: ReactorOptions) {
    this.native = new epollAddon.Poller(
      options.eventsMax,
      options.readBufferBytes,
      options.writeBufferBytes,
      (rowCount) => this.#dispatch(rowCount),
    );
    this.readBuffer = Buffer.from(this.native.readBuffer);
    this.#rows = new Int32Array(this.native.eventRows);
    const schedule = options.gathersWrites ? setImmediate : process.nextTick;
    this.outbox = new Outbox(this.native, (flush) => schedule(flush));
  }

  /**
   * What the present row has read. One that the same row had before is handed out again: to make a
   * view takes as long as all else that is done for a small message.
   */
  chunk(offset: number, length: number): Buffer {
    const made = this.#chunks[this.#rowNext];
    if (made && made.byteOffset === offset && made.length === length) return made;
    const chunk = this.readBuffer.subarray(offset, offset + length);
    this.#chunks[this.#rowNext] = chunk;
    return chunk;
  }

  /** @throws ScriptdError CLOSED */
  assertOpen(): void {
    if (this.closed) throw closedError('the poller');
  }

  register(handle: PollHandle): void {
    this.#handles[tokenSlot(handle.token)] = handle;
  }

  /** Closes the handle's descriptor; events of it that are still in this batch are dropped. */
  remove(handle: PollHandle): void {
    const slot = tokenSlot(handle.token);
    invariant(this.#handles[slot] === handle, 'a handle is removed once');
    this.#handles[slot] = undefined;
    this.native.remove(handle.token);
  }

  /** Hands over the handle's event of this batch now, if it is still to come. */
  advance(handle: PollHandle): void {
    const rows = this.#rows;
    const slot = tokenSlot(handle.token);
    for (let index = this.#rowNext; index < this.#rowCount; index++) {
      const base = index * ROW.width;
      if (rows[base] !== slot || this.#handleOf(base) !== handle) continue;
      const events = rows[base + ROW.events] as number;
      const result = rows[base + ROW.result] as number;
      rows[base + ROW.generation] = 0; // matches no handle: the row is used up
      handle.handleEvent(events, result, rows[base + ROW.offset] as number);
      return;
    }
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    for (const handle of [...this.#handles]) handle?.close();
    this.native.close();
  }

  #dispatch(rowCount: number): void {
    const rows = this.#rows;
    this.batch++;
    this.#rowCount = rowCount;
    this.outbox.hold();
    for (this.#rowNext = 0; this.#rowNext < this.#rowCount; ) {
      const base = this.#rowNext++ * ROW.width;
      const handle = this.#handleOf(base);
      if (handle === undefined) continue;
      this.callbacks++;
      try {
        handle.handleEvent(
          rows[base + ROW.events] as number,
          rows[base + ROW.result] as number,
          rows[base + ROW.offset] as number,
        );
      } catch (error) {
        surface(error);
      }
    }
    this.#rowCount = 0;
    this.outbox.release();
  }

  #handleOf(base: number): PollHandle | undefined {
    const slot = this.#rows[base] as number;
    const handle = this.#handles[slot];
    const token = makeToken(slot, this.#rows[base + ROW.generation] as number);
    return handle?.token === token ? handle : undefined;
  }
}

/** Makes what a callback threw an uncaught exception, without cutting off the others' events. */
export function surface(error: unknown): void {
  process.nextTick(() => {
    throw error;
  });
}
