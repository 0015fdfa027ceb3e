import type { Connection } from '../wire/connection.js';
import type { MessageOf } from '../wire/messages.js';

/** What may be large. */
export type Answer = MessageOf<
  | 'task'
  | 'progress'
  | 'page'
  | 'spec'
  | 'explanation'
  | 'queueReports'
  | 'schedules'
  | 'schedule'
  | 'done'
  | 'figures'
  | 'overviewReport'
  | 'samples'
  | 'worker'
  | 'delivery'
>;

/**
 * Answers on their way to one http daemon. One may have megabytes, and a daemon may ask for
 * hundreds at once: so only what the connection takes is encoded, and the rest waits here as what
 * the store has in memory anyway. A daemon that takes none is lost as a silent one. What is too large
 * for a frame must end neither this process nor the connection: who asked is told.
 */
export class Answers {
  readonly #connection: Pick<Connection, 'send'>;
  readonly #onUnsendable: (requestId: number, error: unknown) => void;
  /** In the order in which they go out. A Set: its first is taken out at no cost. */
  readonly #waiting = new Set<Answer>();
  /** The connection takes no more until it has drained. */
  #isBehind = false;

  /** @param onUnsendable the answer to this request cannot be encoded, and does not go out */
  constructor(
    connection: Pick<Connection, 'send'>,
    onUnsendable: (requestId: number, error: unknown) => void,
  ) {
    this.#connection = connection;
    this.#onUnsendable = onUnsendable;
  }

  send(answer: Answer): void {
    this.#waiting.add(answer);
    this.#pump();
  }

  /** The daemon has read what was sent. */
  drained(): void {
    this.#isBehind = false;
    this.#pump();
  }

  /** The daemon is gone. */
  drop(): void {
    this.#waiting.clear();
  }

  #pump(): void {
    for (const answer of this.#waiting) {
      if (this.#isBehind) return;
      this.#waiting.delete(answer);
      try {
        this.#isBehind = !this.#connection.send(answer);
      } catch (error) {
        this.#onUnsendable(answer.requestId, error);
      }
    }
  }
}
