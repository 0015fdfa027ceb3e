import net, { type AddressInfo } from 'node:net';
import type { Test } from 'tap';

export interface Passed {
  /** Target of the request, e.g. `/execute?code=1`. */
  url: string;
  /** Status code of the answer; 0: the server closed without one; undefined: there is none yet. */
  status?: number;
}

/**
 * Passes bytes on between whoever connects and a server, unchanged, and notes which requests went
 * through and how each was answered. Where it leads to can be changed, as a name in the DNS can.
 */
export class Door {
  readonly port: number;
  /** In the order of their arrival. */
  readonly requests: Passed[] = [];
  /** Port of 127.0.0.1 to which connections are passed on from now on. */
  target: number;

  private constructor(port: number, target: number) {
    this.port = port;
    this.target = target;
  }

  /** @param target port of 127.0.0.1 */
  static async open(t: Test, target: number): Promise<Door> {
    const sockets = new Set<net.Socket>();
    const server = net.createServer((client) => {
      const inner = net.connect(door.target, '127.0.0.1');
      for (const socket of [client, inner]) {
        sockets.add(socket);
        // A browser breaks connections off as it likes.
        socket.on('error', () => socket.destroy());
        socket.on('close', () => sockets.delete(socket));
      }
      // Of one connection, answers come in the order of the requests.
      const unanswered: Passed[] = [];
      note(client, /(?:GET|POST|PUT|OPTIONS) (\S+) HTTP\/1\.1\r$/, (url) => {
        const passed: Passed = { url };
        unanswered.push(passed);
        door.requests.push(passed);
      });
      note(inner, /HTTP\/1\.1 (\d{3}) .*\r$/, (status) => {
        Object.assign(unanswered.shift() ?? {}, { status: Number(status) });
        endIfDone();
      });
      // A browser that lost interest is not to take the answer away with it.
      const endIfDone = () => {
        if (client.destroyed && unanswered.length === 0) inner.end();
      };
      client.on('close', endIfDone);
      inner.on('close', () => {
        for (const passed of unanswered) passed.status = 0;
        client.end();
      });
      client.on('data', (chunk) => inner.write(chunk));
      inner.on('data', (chunk) => {
        if (!client.destroyed) client.write(chunk);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.teardown(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    const door = new Door((server.address() as AddressInfo).port, target);
    return door;
  }
}

/**
 * Calls with what the expression finds in each line. It may begin within one: where a body ends, and
 * the next head begins, there is no line's end.
 */
function note(socket: net.Socket, line: RegExp, found: (text: string) => void): void {
  let rest = '';
  socket.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    for (const text of lines) {
      const match = line.exec(text);
      if (match?.[1] !== undefined) found(match[1]);
    }
  });
}
