import { Duplex } from 'node:stream';
import type { Socket } from '../poll/socket.js';

/** Held here in each direction before the other side has to wait. */
const highWaterBytes = 64 * 1024;

/**
 * A socket of the poller as a stream of Node, for what is written against those. Its descriptor
 * stays in the epoll set. It has no errors of its own: the socket's end is told by its owner.
 */
export class SocketDuplex extends Duplex {
  readonly #socket: Socket;
  #onWritten: (() => void) | undefined;

  constructor(socket: Socket) {
    super({
      readableHighWaterMark: highWaterBytes,
      writableHighWaterMark: highWaterBytes,
      decodeStrings: true,
    });
    this.#socket = socket;
  }

  /** The socket has read this; the chunk is valid only during the call. */
  received(chunk: Buffer): void {
    if (this.destroyed) return;
    if (!this.push(Buffer.from(chunk))) this.#socket.pause();
  }

  /** The socket's peer has finished. */
  receivedEnd(): void {
    if (!this.destroyed) this.push(null);
  }

  /** The socket's queue is empty. */
  drained(): void {
    const written = this.#onWritten;
    this.#onWritten = undefined;
    written?.();
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, written: () => void): void {
    if (this.#socket.write(chunk)) written();
    else this.#onWritten = written;
  }

  override _final(written: () => void): void {
    this.#socket.end();
    written();
  }
}
