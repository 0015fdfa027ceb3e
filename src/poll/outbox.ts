import { pollLimits } from './limits.js';
import { type NativePoller, tokenGeneration, tokenSlot, WRITE_ROW } from './native-poller.js';
import type { WriteQueue } from './write-queue.js';

/** A socket with something to write. */
export interface Sender {
  readonly token: number;
  readonly queue: WriteQueue;
  /** It is in the outbox already. Assigned by the outbox. */
  inOutbox: boolean;
  /** One system call wrote so many bytes from the front of the queue, or failed with -errno. */
  written(result: number): void;
}

/**
 * The sockets that wrote in this turn. All leave together, in the order of their first write, one system
 * call each, at the end of the batch; when there is no batch, after the current callback and its next ticks, or at the end of the
 * loop's iteration, as `schedule` has it.
 */
export class Outbox {
  /** Native calls that flushed, each for any number of sockets. */
  flushCalls = 0;

  readonly #native: NativePoller;
  readonly #schedule: (flush: () => void) => void;
  readonly #buffer: Uint8Array;
  readonly #rows: Int32Array;
  readonly #rowsMax: number;
  /** Whose write each row is. */
  readonly #rowSenders: (Sender | undefined)[] = [];
  // Two lists in turn: what a flush's callbacks add waits for the next. They keep their length,
  // since setting that is slow in V8.
  #waiting: (Sender | undefined)[] = [];
  #waitingCount = 0;
  #flushing: (Sender | undefined)[] = [];
  /** A flush will come: the batch's, or one that is scheduled. */
  #expected = false;
  readonly #flushScheduled = (): void => this.release();

  /** @param schedule how a flush comes about that no batch brings */
  constructor(native: NativePoller, schedule: (flush: () => void) => void) {
    this.#native = native;
    this.#schedule = schedule;
    this.#buffer = new Uint8Array(native.writeBuffer);
    this.#rows = new Int32Array(native.writeRows);
    this.#rowsMax = this.#rows.length / WRITE_ROW.width;
  }

  add(sender: Sender): void {
    if (sender.inOutbox) return;
    sender.inOutbox = true;
    this.#waiting[this.#waitingCount++] = sender;
    if (this.#expected) return;
    this.#expected = true;
    this.#schedule(this.#flushScheduled);
  }

  /** A batch begins: release() comes at its end. */
  hold(): void {
    this.#expected = true;
  }

  /** Writes everything out. What a callback of this writes leaves in the loop's next iteration. */
  release(): void {
    this.#expected = true;
    const senders = this.#waiting;
    const count = this.#waitingCount;
    this.#waiting = this.#flushing;
    this.#waitingCount = 0;
    this.#flushing = senders;
    if (count > 0) this.#flush(senders, count);
    if (this.#waitingCount > 0) setImmediate(this.#flushScheduled);
    else this.#expected = false;
  }

  #flush(senders: (Sender | undefined)[], count: number): void {
    const buffer = this.#buffer;
    let used = 0;
    let rowCount = 0;
    for (let index = 0; index < count; index++) {
      const sender = senders[index] as Sender;
      senders[index] = undefined;
      sender.inOutbox = false;
      const { queue } = sender;
      if (queue.bytes === 0) continue; // closed since
      if (queue.bytes > pollLimits.writeCopyBytesMax && isWorthGathering(queue)) {
        // What was written before leaves before.
        if (rowCount > 0) this.#submit(rowCount);
        used = 0;
        rowCount = 0;
        if (queue.bytes === 0) continue; // closed by one of those
        sender.written(this.#native.write(sender.token, queue.front(pollLimits.writeChunksMax)));
        continue;
      }
      if (rowCount === this.#rowsMax || buffer.length - used < pollLimits.writeCopyBytesMax) {
        this.#submit(rowCount);
        used = 0;
        rowCount = 0;
      }
      const length = queue.copyInto(buffer, used, buffer.length - used);
      this.#fillRow(rowCount, sender, used, length);
      used += length;
      rowCount++;
    }
    if (rowCount > 0) this.#submit(rowCount);
  }

  #fillRow(row: number, sender: Sender, offset: number, length: number): void {
    const base = row * WRITE_ROW.width;
    this.#rows[base + WRITE_ROW.slot] = tokenSlot(sender.token);
    this.#rows[base + WRITE_ROW.generation] = tokenGeneration(sender.token);
    this.#rows[base + WRITE_ROW.offset] = offset;
    this.#rows[base + WRITE_ROW.length] = length;
    this.#rowSenders[row] = sender;
  }

  #submit(rowCount: number): void {
    this.flushCalls++;
    this.#native.flush(rowCount);
    for (let row = 0; row < rowCount; row++) {
      const result = this.#rows[row * WRITE_ROW.width + WRITE_ROW.result] as number;
      const sender = this.#rowSenders[row] as Sender;
      this.#rowSenders[row] = undefined;
      sender.written(result);
    }
  }
}

/** Few or large chunks: the kernel takes them from where they are. Many small ones are copied. */
function isWorthGathering(queue: WriteQueue): boolean {
  return (
    queue.count <= pollLimits.writeChunksMax || queue.frontBytes > pollLimits.writeCopyBytesMax
  );
}
