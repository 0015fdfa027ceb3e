import { readFileSync } from 'node:fs';
import type { RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { httpLimits } from './limits.js';

/**
 * The clients' connections of every port. Those that ask for nothing may be many, but do not keep
 * others out: when there are as many as may be, the one that has been idle for longest is closed,
 * a connection whose head is not there yet counting as idle. When none is idle, one goes whose client
 * takes nothing of its answers; and so does, at any time, one that has not for `batchStallMs`.
 */
export class Connections {
  readonly #max: number;
  /** In the order in which they became idle. */
  readonly #idle = new Set<Socket>();
  /** Requests that are not answered, by connection; never 0. */
  readonly #asking = new Map<Socket, number>();
  /** Of those, the ones whose answers did not move at the last look, in the order of `sinceMs`. */
  readonly #stuck = new Map<Socket, { taken: number; sinceMs: number }>();
  /** Runs while there are connections. */
  #looks: NodeJS.Timeout | undefined;

  constructor(max = connectionsMax()) {
    this.#max = max;
  }

  /** To be called when all who handle the server's requests listen for them: they get what is let in. */
  watch(server: Server): void {
    server.on('connection', (socket: Socket) => this.#opened(socket));
    for (const event of ['request', 'checkContinue', 'checkExpectation'] as const) {
      const handlers = server.listeners(event) as RequestListener[];
      if (handlers.length === 0) continue;
      server.removeAllListeners(event);
      server.on(event, (request, response) => {
        if (!this.#isLetIn(request.socket, response)) return;
        for (const handle of handlers) handle.call(server, request, response);
      });
    }
  }

  /** Requests of a connection that are not answered: more than 1 if it sends ahead. */
  requestsOf(socket: Socket): number {
    return this.#asking.get(socket) ?? 0;
  }

  /** Counts a request, unless there are so many ahead that not even a refusal is kept for it. */
  #isLetIn(socket: Socket, response: ServerResponse): boolean {
    // What was read together with the request that was one too many comes all the same.
    if (socket.destroyed) return false;
    const count = this.requestsOf(socket) + 1;
    if (count > 2 * httpLimits.requestsAheadMax) {
      socket.destroy();
      return false;
    }
    this.#idle.delete(socket);
    this.#asking.set(socket, count);
    response.once('close', () => this.#answered(socket));
    return true;
  }

  #opened(socket: Socket): void {
    this.#looks ??= setInterval(() => this.#look(), httpLimits.stuckCheckMs).unref();
    this.#idle.add(socket);
    socket.once('close', () => this.#gone(socket));
    if (this.#idle.size + this.#asking.size <= this.#max) return;
    const [idle = socket] = this.#idle;
    // The new one itself, if all others are busy.
    const closed = idle === socket ? (this.#deaf() ?? socket) : idle;
    this.#gone(closed);
    closed.destroy();
  }

  #answered(socket: Socket): void {
    const left = this.requestsOf(socket) - 1;
    if (left > 0) {
      this.#asking.set(socket, left);
    } else if (this.#asking.delete(socket) && !socket.destroyed) {
      this.#stuck.delete(socket);
      this.#idle.add(socket);
    }
  }

  /** Its end is told later; what is counted has to be right at once. */
  #gone(socket: Socket): void {
    this.#idle.delete(socket);
    this.#asking.delete(socket);
    this.#stuck.delete(socket);
    if (this.#idle.size + this.#asking.size > 0) return;
    clearInterval(this.#looks);
    this.#looks = undefined;
  }

  /** What waits for its answer, or has nothing to read, is left alone. */
  #look(): void {
    const nowMs = performance.now();
    for (const socket of this.#asking.keys()) {
      const before = this.#stuck.get(socket);
      if (before && isStuckAt(socket, before.taken)) {
        if (nowMs - before.sinceMs >= httpLimits.batchStallMs) socket.destroy();
        continue;
      }
      this.#stuck.delete(socket);
      if (socket.writableLength === 0) continue;
      this.#stuck.set(socket, { taken: takenOf(socket), sinceMs: nowMs });
    }
  }

  /** The connection that has taken nothing of its answers for longest, and for a while. */
  #deaf(): Socket | undefined {
    const nowMs = performance.now();
    for (const [socket, { taken, sinceMs }] of this.#stuck) {
      if (nowMs - sinceMs < httpLimits.stuckCheckMs) return undefined;
      if (isStuckAt(socket, taken)) return socket;
      this.#stuck.delete(socket);
    }
    return undefined;
  }
}

function isStuckAt(socket: Socket, taken: number): boolean {
  return socket.writableLength > 0 && takenOf(socket) === taken;
}

/**
 * Grows with what the kernel takes of a connection's answers. What is left of a large write only the
 * handle knows: Node asks it as well, before it calls a socket timed out.
 */
function takenOf(socket: Socket): number {
  const { _handle: handle } = socket as { _handle?: { writeQueueSize?: number } | null };
  return socket.bytesWritten - socket.writableLength - (handle?.writeQueueSize ?? 0);
}

/** As many as the limit on open files leaves room for, up to the limit of our own. */
export function connectionsMax(): number {
  const text = readFileSync('/proc/self/limits', 'utf8');
  const openFiles = Number(/^Max open files\s+(\d+)/m.exec(text)?.[1] ?? Number.POSITIVE_INFINITY);
  const left = openFiles - httpLimits.otherFilesMax;
  return Math.max(1, Math.min(httpLimits.connectionsMax, left));
}
