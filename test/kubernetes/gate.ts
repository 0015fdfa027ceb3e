import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A way to a TCP port of this host that can be shut: whoever uses it finds nobody there then. */
export class Gate {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;

  /** Opens one at port `at`. */
  static async to(port: number, at: number): Promise<Gate> {
    const sockets = new Set<Socket>();
    const server = createServer((near) => {
      const far = connect(port, '127.0.0.1');
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(socket);
        socket.on('close', () => {
          sockets.delete(socket);
          other.destroy();
        });
        // Nobody listens behind it: `close` follows, and is all that the other side is to see.
        socket.on('error', () => undefined);
        socket.pipe(other);
      }
    });
    server.listen(at, '127.0.0.1');
    await once(server, 'listening');
    return new Gate(server, sockets, at);
  }

  private constructor(server: Server, sockets: Set<Socket>, port: number) {
    this.port = port;
    this.#server = server;
    this.#sockets = sockets;
  }

  async shut(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
  }

  /** At the same port as before. */
  async open(): Promise<void> {
    this.#server.listen(this.port, '127.0.0.1');
    await once(this.#server, 'listening');
  }
}
