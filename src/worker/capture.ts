import { firstCharacter, wholeCharacters } from '../utf8.js';
import { workerLimits } from './limits.js';

export interface Captured {
  /** Head, marker and tail when bytes were left out; else all that came. */
  bytes: Buffer;
  /** The stream was longer than its cap. */
  truncated: boolean;
}

/**
 * What is kept of one output stream: the first `headBytesMax` bytes, and of what follows the last
 * `tailBytesMax`. Memory follows what has come and never exceeds the two together.
 *
 * Invariant: `#ring` holds the last min(#beyond, tailBytesMax) bytes past the head; the next of them
 * is written at `#beyond % tailBytesMax`.
 */
export class Capture {
  readonly #headBytesMax: number;
  readonly #tailBytesMax: number;
  #head = Buffer.alloc(0);
  #headBytes = 0;
  #ring: Buffer | undefined;
  #beyond = 0;

  constructor(headBytesMax: number, tailBytesMax: number) {
    this.#headBytesMax = headBytesMax;
    this.#tailBytesMax = tailBytesMax;
  }

  /** Bytes that came, kept or not. */
  get seenBytes(): number {
    return this.#headBytes + this.#beyond;
  }

  /** What is kept of the beginning. A view: valid until the next push. */
  get head(): Uint8Array {
    return this.#head.subarray(0, this.#headBytes);
  }

  /** More came than the head holds. */
  get exceeded(): boolean {
    return this.#beyond > 0;
  }

  /** Copies what is kept; `chunk` stays the caller's. */
  push(chunk: Uint8Array): void {
    const room = Math.min(chunk.length, this.#headBytesMax - this.#headBytes);
    if (room > 0) this.#pushHead(chunk.subarray(0, room));
    if (room < chunk.length) this.#pushTail(chunk.subarray(room));
  }

  finish(): Captured {
    const truncated = this.exceeded;
    const head = this.#head.subarray(0, this.#headBytes);
    const tail = this.#tail();
    if (tail.length === this.#beyond) return { bytes: Buffer.concat([head, tail]), truncated };
    // A character that is cut in two would make text of the whole stream into binary data.
    const headKept = head.subarray(0, wholeCharacters(head));
    const tailKept = tail.subarray(firstCharacter(tail));
    const leftOut = this.seenBytes - headKept.length - tailKept.length;
    const marker = Buffer.from(`\n[scriptd: ${leftOut} bytes left out]\n`);
    return { bytes: Buffer.concat([headKept, marker, tailKept]), truncated };
  }

  #pushHead(bytes: Uint8Array): void {
    const needed = this.#headBytes + bytes.length;
    if (needed > this.#head.length) {
      const doubled = Math.max(needed, 2 * this.#head.length, workerLimits.captureBytesFirst);
      const grown = Buffer.allocUnsafe(Math.min(doubled, this.#headBytesMax));
      this.#head.copy(grown, 0, 0, this.#headBytes);
      this.#head = grown;
    }
    this.#head.set(bytes, this.#headBytes);
    this.#headBytes = needed;
  }

  #pushTail(bytes: Uint8Array): void {
    const size = this.#tailBytesMax;
    this.#ring ??= Buffer.allocUnsafe(size);
    const skipped = Math.max(0, bytes.length - size);
    let at = (this.#beyond + skipped) % size;
    for (let from = skipped; from < bytes.length; ) {
      const part = bytes.subarray(from, from + size - at);
      this.#ring.set(part, at);
      from += part.length;
      at = 0;
    }
    this.#beyond += bytes.length;
  }

  #tail(): Buffer {
    if (!this.#ring) return Buffer.alloc(0);
    if (this.#beyond <= this.#tailBytesMax) return this.#ring.subarray(0, this.#beyond);
    const start = this.#beyond % this.#tailBytesMax;
    return Buffer.concat([this.#ring.subarray(start), this.#ring.subarray(0, start)]);
  }
}
