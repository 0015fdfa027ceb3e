/**
 * What a socket still has to write, in order.
 *
 *     push() ─▶ [chunk][chunk][chunk] ─▶ copyInto() or front() ─▶ system call ─▶ consume()
 *
 * Chunks are held, not copied: their bytes must not change until they are written. On the hot path:
 * the array keeps its length, since setting that is slow in V8; `count` says how much of it is used.
 */
export class WriteQueue {
  /** Chunks queued. */
  count = 0;
  bytes = 0;

  #chunks: Uint8Array[] = [];

  push(chunk: Uint8Array): void {
    this.#chunks[this.count++] = chunk;
    this.bytes += chunk.length;
  }

  /** The first chunks, at most `max`. */
  front(max: number): Uint8Array[] {
    return this.#chunks.slice(0, Math.min(this.count, max));
  }

  /** Length of the first chunk; 0 when there is none. */
  get frontBytes(): number {
    return this.count === 0 ? 0 : (this.#chunks[0] as Uint8Array).length;
  }

  /** Copies chunks from the front while they fit into `room` bytes; returns the bytes copied. */
  copyInto(target: Uint8Array, offset: number, room: number): number {
    let copied = 0;
    for (let index = 0; index < this.count; index++) {
      const chunk = this.#chunks[index] as Uint8Array;
      if (chunk.length > room - copied) break;
      target.set(chunk, offset + copied);
      copied += chunk.length;
    }
    return copied;
  }

  /** Takes away what was written. */
  consume(bytes: number): void {
    if (bytes === this.bytes) {
      this.clear();
      return;
    }
    this.bytes -= bytes;
    let whole = 0;
    let rest = bytes;
    for (; rest >= (this.#chunks[whole] as Uint8Array).length; whole++) {
      rest -= (this.#chunks[whole] as Uint8Array).length;
    }
    this.#chunks = this.#chunks.slice(whole, this.count);
    this.count -= whole;
    this.#chunks[0] = (this.#chunks[0] as Uint8Array).subarray(rest);
  }

  /** Copies the chunks that lie in `memory`, which is about to be overwritten. */
  copyOutOf(memory: ArrayBufferLike): void {
    for (let index = 0; index < this.count; index++) {
      const chunk = this.#chunks[index] as Uint8Array;
      if (chunk.buffer === memory) this.#chunks[index] = Uint8Array.from(chunk);
    }
  }

  clear(): void {
    if (this.count === 1) this.#chunks[0] = NOTHING;
    else this.#chunks = [];
    this.count = 0;
    this.bytes = 0;
  }
}

const NOTHING = new Uint8Array(0);
