import { ScriptdError } from '../errors.js';
import { invariant } from '../invariant.js';

/** Bytes of the big-endian length before each frame's payload. */
export const prefixBytes = 4;

/**
 * Cuts a byte stream into frames. Does no I/O.
 *
 * Invariant: between calls of `push`, `#held` bytes of an unfinished frame (prefix included) stand
 * at the start of `#buffer`, and they are fewer than that frame has.
 */
export class FrameDecoder {
  /** Payload bytes allowed in one frame; raised once the peer has proven the token. */
  frameBytesMax: number;
  #buffer: Buffer = Buffer.alloc(0);
  #held = 0;

  constructor(frameBytesMax: number) {
    this.frameBytesMax = frameBytesMax;
  }

  /** Bytes of an unfinished frame that are held back. */
  get heldBytes(): number {
    return this.#held;
  }

  /** Bytes of memory that are reserved for it. */
  get capacityBytes(): number {
    return this.#buffer.length;
  }

  /**
   * Takes the next bytes of the stream and calls `onFrame` for each payload completed by them. The
   * payload is a view of `chunk` or of the decoder's own buffer: valid only during the call.
   * `onFrame` returns false to stop; the rest of the chunk is then dropped.
   *
   * @throws ScriptdError FRAME_EMPTY, FRAME_TOO_LARGE: the stream is broken for good.
   */
  push(chunk: Buffer, onFrame: (payload: Buffer) => boolean): void {
    let offset = 0;
    if (this.#held > 0) {
      offset = this.#complete(chunk, onFrame);
      if (offset < 0) return;
    }
    while (chunk.length - offset >= prefixBytes) {
      const size = this.#checked(chunk.readUInt32BE(offset));
      const end = offset + prefixBytes + size;
      if (end > chunk.length) break;
      if (!onFrame(chunk.subarray(offset + prefixBytes, end))) return;
      offset = end;
    }
    this.#hold(chunk, offset);
  }

  /** Finishes the frame that is held. Returns where the chunk goes on, or -1 when told to stop. */
  #complete(chunk: Buffer, onFrame: (payload: Buffer) => boolean): number {
    let offset = 0;
    if (this.#held < prefixBytes) {
      offset = this.#hold(chunk, 0, Math.min(chunk.length, prefixBytes - this.#held));
      if (this.#held < prefixBytes) return offset;
    }
    const whole = prefixBytes + this.#checked(this.#buffer.readUInt32BE(0));
    offset = this.#hold(chunk, offset, Math.min(chunk.length, offset + whole - this.#held), whole);
    if (this.#held < whole) return offset;
    const payload = this.#buffer.subarray(prefixBytes, whole);
    this.#held = 0;
    // A large buffer is not kept for the small frames that usually follow.
    this.#buffer = Buffer.alloc(0);
    return onFrame(payload) ? offset : -1;
  }

  #checked(size: number): number {
    if (size === 0) throw new ScriptdError('FRAME_EMPTY', 'a frame without payload');
    if (size > this.frameBytesMax) {
      throw new ScriptdError(
        'FRAME_TOO_LARGE',
        `a frame of ${size} bytes; at most ${this.frameBytesMax} are allowed here`,
      );
    }
    return size;
  }

  /**
   * Appends chunk[from, to) to what is held. The buffer doubles up to `whole`, so that memory
   * follows what has arrived and not what a peer announces.
   */
  #hold(chunk: Buffer, from: number, to = chunk.length, whole = Number.POSITIVE_INFINITY): number {
    if (from >= to) return to;
    const needed = this.#held + to - from;
    if (needed > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, Math.min(whole, this.#buffer.length * 2)));
      this.#buffer.copy(grown, 0, 0, this.#held);
      this.#buffer = grown;
    }
    chunk.copy(this.#buffer, this.#held, from, to);
    this.#held = needed;
    invariant(needed <= whole, 'the decoder never holds more than one frame');
    return to;
  }
}
