import type { ServerResponse } from 'node:http';
import { httpLimits } from './limits.js';
import type { UnsentAnswers } from './unsent.js';

/** Lines of JSON as an answer, no faster than the client reads them. */
export class AnswerLines {
  readonly #response: ServerResponse;
  readonly #unsent: UnsentAnswers;
  #drained: Promise<void> | undefined;

  constructor(response: ServerResponse, unsent: UnsentAnswers) {
    this.#response = response;
    this.#unsent = unsent;
  }

  /** Fulfilled when there is room for more, or nobody left to read it. */
  async write(value: object): Promise<void> {
    const response = this.#response;
    if (response.destroyed || !response.socket) return;
    const line = Buffer.from(`${JSON.stringify(value)}\n`);
    if (response.write(line)) return;
    const release = this.#unsent.hold(response.socket, line.length);
    this.#drained ??= this.#drain();
    await this.#drained;
    release();
  }

  #drain(): Promise<void> {
    const response = this.#response;
    return new Promise((resolve) => {
      const stalled = () => response.destroy();
      const timer = setTimeout(stalled, httpLimits.batchStallMs);
      const go = () => {
        clearTimeout(timer);
        response.off('drain', go).off('close', go);
        this.#drained = undefined;
        resolve();
      };
      response.once('drain', go).once('close', go);
    });
  }
}
