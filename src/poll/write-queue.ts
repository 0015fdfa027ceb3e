/**
 * What a socket still has to write, in order.
 *
 *     push() ─▶ [chunk][chunk][chunk] ─▶ copyInto() or chunks ─▶ system call ─▶ consume()
 *
 * Chunks are held, not copied: their bytes must not change until they are written.
 */
export class WriteQueue {
  readonly chunks: Uint8Array[] = [];
  bytes = 0;

  push(chunk: Uint8Array): void {
    this.chunks.push(chunk);
    this.bytes += chunk.length;
  }

  /** Copies chunks from the front while they fit into `room` bytes; returns the bytes copied. */
  copyInto(target: Uint8Array, offset: number, room: number): number {
    let copied = 0;
    for (const chunk of this.chunks) {
      if (chunk.length > room - copied) break;
      target.set(chunk, offset + copied);
      copied += chunk.length;
    }
    return copied;
  }

  /** Takes away what was written. */
  consume(bytes: number): void {
    this.bytes -= bytes;
    if (this.bytes === 0) {
      this.chunks.length = 0;
      return;
    }
    let whole = 0;
    let rest = bytes;
    for (const chunk of this.chunks) {
      if (chunk.length > rest) break;
      rest -= chunk.length;
      whole++;
    }
    this.chunks.splice(0, whole);
    const first = this.chunks[0];
    if (rest > 0 && first !== undefined) this.chunks[0] = first.subarray(rest);
  }

  /** Copies the chunks that lie in `memory`, which is about to be overwritten. */
  copyOutOf(memory: ArrayBufferLike): void {
    for (const [index, chunk] of this.chunks.entries()) {
      if (chunk.buffer === memory) this.chunks[index] = Uint8Array.from(chunk);
    }
  }

  clear(): void {
    this.chunks.length = 0;
    this.bytes = 0;
  }
}
