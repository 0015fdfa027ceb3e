import { type Collected, isDone, readCollected } from './collect.js';
import { workerLimits } from './limits.js';
import { readStatus, type StartStatus } from './process-end.js';

/** What the first process of a sandbox has said so far on its status socket. */
export class StatusChannel {
  #chunks: Buffer[] = [];

  /** @param chunk copied: a view of the poller's buffer */
  push(chunk: Buffer): void {
    this.#chunks.push(Buffer.from(chunk));
  }

  /** Undefined when it was killed before it could tell. */
  said(): StartStatus | undefined {
    return readStatus(this.#bytes());
  }

  /** The script has ended, and nothing is left in the sandbox but the first process. */
  get isDone(): boolean {
    return this.said()?.kind === 'ended' && isDone(this.#records());
  }

  collected(): Collected {
    return readCollected(this.#records());
  }

  clear(): void {
    this.#chunks = [];
  }

  #records(): Buffer {
    return this.#bytes().subarray(workerLimits.endedBytes);
  }

  #bytes(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }
}
