/**
 * What a socket still has to write, in order.
 *
 *     push() ─▶ [chunk][chunk][chunk] ─▶ copyInto() or front() ─▶ system call ─▶ consume()
 *
 * Chunks are held, not copied: their bytes must not change until they are written. On the hot path:
 * the array keeps its length, since setting that is slow in V8; `count` says how much of it is used, from
 * `#head` on. However much is queued, adding to it and taking from it cost the same.
 */
export class WriteQueue {
  /** Chunks queued. */
  count = 0;
  bytes = 0;

  #chunks: Uint8Array[] = [];
  #head = 0;

  push(chunk: Uint8Array): void {
    this.#chunks[this.#head + this.count++] = chunk;
    this.bytes += chunk.length;
  }

  /** The first chunks, at most `max`. */
  front(max: number): Uint8Array[] {
    return this.#chunks.slice(this.#head, this.#head + Math.min(this.count, max));
  }

  /** Length of the first chunk; 0 when there is none. */
  get frontBytes(): number {
    return this.count === 0 ? 0 : (this.#chunks[this.#head] as Uint8Array).length;
  }

  /** Copies chunks from the front while they fit into `room` bytes; returns the bytes copied. */
  copyInto(target: Uint8Array, offset: number, room: number): number {
    let copied = 0;
    const end = this.#head + this.count;
    for (let index = this.#head; index < end; index++) {
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
    let rest = bytes;
    while (rest >= this.frontBytes) {
      rest -= this.frontBytes;
      this.#chunks[this.#head++] = NOTHING;
      this.count--;
    }
    this.#chunks[this.#head] = (this.#chunks[this.#head] as Uint8Array).subarray(rest);
    // Seldom enough that each chunk is moved once, on the average.
    if (this.#head <= this.count) return;
    this.#chunks = this.#chunks.slice(this.#head, this.#head + this.count);
    this.#head = 0;
  }

  /** Copies the chunks that lie in `memory`, which is about to be overwritten. */
  copyOutOf(memory: ArrayBufferLike): void {
    const end = this.#head + this.count;
    for (let index = this.#head; index < end; index++) this.#copyOutOf(memory, index);
  }

  /** As `copyOutOf`, of the newest chunk alone. */
  copyLastOutOf(memory: ArrayBufferLike): void {
    this.#copyOutOf(memory, this.#head + this.count - 1);
  }

  clear(): void {
    if (this.count === 1 && this.#head === 0) this.#chunks[0] = NOTHING;
    else this.#chunks = [];
    this.#head = 0;
    this.count = 0;
    this.bytes = 0;
  }

  #copyOutOf(memory: ArrayBufferLike, index: number): void {
    const chunk = this.#chunks[index] as Uint8Array;
    if (chunk.buffer === memory) this.#chunks[index] = Uint8Array.from(chunk);
  }
}

const NOTHING = new Uint8Array(0);
