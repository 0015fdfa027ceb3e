import type { Socket } from 'node:net';
import type { FastifyReply } from 'fastify';
import { onClientGone } from './client-gone.js';
import { httpLimits } from './limits.js';

interface Unsent {
  socket: Socket;
  bytes: number;
}

/**
 * Large answers that their clients have not read yet, in the order in which they came. Clients that
 * do not read can fill the room, but not keep the others out of it: beyond `unsentBytesMax` the
 * connection with the oldest of them is closed.
 */
export class UnsentAnswers {
  readonly #answers = new Set<Unsent>();
  #bytes = 0;

  /** Called when an answer with a body of that size is about to be written. */
  add(reply: FastifyReply, bytes: number): void {
    if (bytes < httpLimits.unsentBytesCounted) return;
    const done = this.hold(reply.request.raw.socket, bytes);
    const release = onClientGone(reply, done);
    reply.raw.once('finish', () => {
      release();
      done();
    });
  }

  /** Counts bytes that a connection does not take, or a part of an answer, until it is called off. */
  hold(socket: Socket, bytes: number): () => void {
    const answer = { socket, bytes };
    this.#answers.add(answer);
    this.#bytes += bytes;
    this.#makeRoom();
    return () => this.#delete(answer);
  }

  #makeRoom(): void {
    for (const { socket } of this.#answers) {
      if (this.#bytes <= httpLimits.unsentBytesMax) return;
      socket.destroy();
      // Its end is told later; what is counted has to be right at once.
      for (const answer of this.#answers) if (answer.socket === socket) this.#delete(answer);
    }
  }

  #delete(answer: Unsent): void {
    if (this.#answers.delete(answer)) this.#bytes -= answer.bytes;
  }
}
