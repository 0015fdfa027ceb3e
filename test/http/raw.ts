import { once } from 'node:events';
import net from 'node:net';
import type { Test } from 'tap';

/** A client that writes what it likes, byte by byte if need be. */
export class RawClient {
  readonly socket: net.Socket;
  text = '';
  closed = false;
  #wake: () => void = () => undefined;

  private constructor(socket: net.Socket) {
    this.socket = socket;
    socket.setEncoding('latin1').on('data', (text: string) => {
      this.text += text;
      this.#wake();
    });
    // A connection that is broken off is one that is closed.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.closed = true;
      this.#wake();
    });
  }

  static async open(t: Test, address: string): Promise<RawClient> {
    const { hostname, port } = new URL(address);
    const socket = net.connect(Number(port), hostname);
    t.teardown(() => socket.destroy());
    const client = new RawClient(socket);
    await once(socket, 'connect');
    return client;
  }

  write(bytes: string | Buffer): void {
    if (!this.closed) this.socket.write(bytes);
  }

  /** Everything that came, once this is part of it, so many times. */
  async reads(part: string, times = 1): Promise<string> {
    while (this.text.split(part).length <= times) {
      if (this.closed) throw new Error(`closed, after: ${this.text.slice(0, 2_000)}`);
      await this.#change();
    }
    return this.text;
  }

  /** Everything that came until the server closed. */
  async end(): Promise<string> {
    while (!this.closed) await this.#change();
    return this.text;
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
