import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { httpLimits } from './limits.js';
import type { UnsentAnswers } from './unsent.js';

/** Lines of JSON as an answer, no faster than the client reads them. */
export class AnswerLines {
  readonly #response: ServerResponse;
  /** The client's. The answer to a request that was sent ahead gets it when those before are answered. */
  readonly #socket: Socket;
  readonly #unsent: UnsentAnswers;
  #drained: Promise<void> | undefined;

  constructor(request: IncomingMessage, response: ServerResponse, unsent: UnsentAnswers) {
    this.#socket = request.socket;
    this.#response = response;
    this.#unsent = unsent;
  }

  /** Fulfilled when there is room for more, or nobody left to read it. */
  async write(value: object): Promise<void> {
    const response = this.#response;
    if (response.destroyed || this.#socket.destroyed) return;
    const line = Buffer.from(`${JSON.stringify(value)}\n`);
    if (response.write(line)) return;
    const release = this.#unsent.hold(this.#socket, line.length);
    this.#drained ??= this.#drain();
    await this.#drained;
    release();
  }

  #drain(): Promise<void> {
    const response = this.#response;
    const socket = this.#socket;
    return new Promise((resolve) => {
      const stalled = () => response.destroy();
      let timer: NodeJS.Timeout | undefined;
      const start = () => {
        timer = setTimeout(stalled, httpLimits.batchStallMs);
      };
      const go = () => {
        clearTimeout(timer);
        response.off('drain', go).off('close', go).off('socket', start);
        socket.off('close', go);
        this.#drained = undefined;
        resolve();
      };
      response.once('drain', go).once('close', go);
      socket.once('close', go);
      // Nobody can read it while those before are not answered.
      if (response.socket) start();
      else response.once('socket', start);
    });
  }
}
