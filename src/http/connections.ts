import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { httpLimits } from './limits.js';

/**
 * The clients' connections of every port. Those that ask for nothing may be many, but do not keep
 * others out: when there are as many as may be, the one that has been idle for longest is closed,
 * a connection whose head is not there yet counting as idle.
 */
export class Connections {
  readonly #max: number;
  /** In the order in which they became idle. */
  readonly #idle = new Set<Socket>();
  /** Requests that are not answered, by connection; never 0. */
  readonly #asking = new Map<Socket, number>();

  constructor(max = connectionsMax()) {
    this.#max = max;
  }

  watch(server: Server): void {
    server.on('connection', (socket: Socket) => this.#opened(socket));
    for (const event of ['request', 'checkContinue', 'checkExpectation'] as const) {
      // Before the request is handled, which may look at it.
      server.prependListener(event, (request, response) => {
        const { socket } = request;
        this.#idle.delete(socket);
        this.#asking.set(socket, this.requestsOf(socket) + 1);
        response.once('close', () => this.#answered(socket));
      });
    }
  }

  /** Requests of a connection that are not answered: more than 1 if it sends ahead. */
  requestsOf(socket: Socket): number {
    return this.#asking.get(socket) ?? 0;
  }

  #opened(socket: Socket): void {
    this.#idle.add(socket);
    socket.once('close', () => {
      this.#idle.delete(socket);
      this.#asking.delete(socket);
    });
    if (this.#idle.size + this.#asking.size <= this.#max) return;
    // The new one itself, if all others are busy.
    const [oldest] = this.#idle;
    if (oldest) this.#idle.delete(oldest);
    oldest?.destroy();
  }

  #answered(socket: Socket): void {
    const left = this.requestsOf(socket) - 1;
    if (left > 0) {
      this.#asking.set(socket, left);
    } else if (this.#asking.delete(socket) && !socket.destroyed) {
      this.#idle.add(socket);
    }
  }
}

/** As many as the limit on open files leaves room for, up to the limit of our own. */
export function connectionsMax(): number {
  const text = readFileSync('/proc/self/limits', 'utf8');
  const openFiles = Number(/^Max open files\s+(\d+)/m.exec(text)?.[1] ?? Number.POSITIVE_INFINITY);
  const left = openFiles - httpLimits.otherFilesMax;
  return Math.max(1, Math.min(httpLimits.connectionsMax, left));
}
