/**
 * Numbers and strings one after the other in a buffer that grows; native/sandbox/inside/byte_reader.h
 * reads them. Numbers are little-endian; a string is its length as u32, its bytes, and a NUL that is
 * not counted.
 */
export class ByteWriter {
  #buffer = Buffer.allocUnsafe(4096);
  #size = 0;

  u32(value: number): void {
    this.#reserve(4);
    this.#size = this.#buffer.writeUInt32LE(value, this.#size);
  }

  u64(value: number): void {
    this.#reserve(8);
    this.#size = this.#buffer.writeBigUInt64LE(BigInt(value), this.#size);
  }

  string(value: string): void {
    this.bytes(Buffer.from(value));
  }

  /** A string of bytes that are no text. */
  bytes(value: Uint8Array): void {
    this.u32(value.length);
    this.#reserve(value.length + 1);
    this.#buffer.set(value, this.#size);
    this.#size += value.length;
    this.#size = this.#buffer.writeUInt8(0, this.#size);
  }

  /** Bytes that another writer wrote, as they are. */
  written(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#size);
    this.#size += bytes.length;
  }

  /** A list: its length, and its items as `write` writes them. */
  list<T>(items: readonly T[], write: (item: T) => void): void {
    this.u32(items.length);
    for (const item of items) write(item);
  }

  /** All that was written; the writer is not used afterwards. */
  finish(): Uint8Array {
    return this.#buffer.subarray(0, this.#size);
  }

  #reserve(bytes: number): void {
    const needed = this.#size + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    larger.set(this.#buffer.subarray(0, this.#size));
    this.#buffer = larger;
  }
}
