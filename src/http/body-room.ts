import { httpLimits } from './limits.js';
import { type Problem, problem } from './problem.js';

/** A body, or a line of one, that is being received. */
export interface Reception {
  /** So many bytes of it are in memory now. */
  hold(bytes: number): void;
  /** What it held so far is used; from now on it counts as the newest. */
  restart(): void;
  /** Gives its room back. Later calls do nothing. */
  close(): void;
}

interface Held extends Reception {
  bytes: number;
  refuse(why: Problem): void;
}

/**
 * The memory for bodies on their way in, all together. Clients that send slowly can fill it, but
 * not keep the others out of it: beyond `receivedBytesMax` the body that began first is refused.
 */
export class BodyRoom {
  readonly #receptions = new Set<Held>();
  #bytes = 0;

  /** @param refuse called at most once, when its room is needed; it is closed then */
  open(refuse: (why: Problem) => void): Reception {
    const reception: Held = {
      bytes: 0,
      refuse,
      hold: (bytes) => {
        if (!this.#receptions.has(reception)) return;
        this.#bytes += bytes - reception.bytes;
        reception.bytes = bytes;
        this.#makeRoom();
      },
      restart: () => {
        if (this.#receptions.delete(reception)) this.#receptions.add(reception);
      },
      close: () => {
        if (this.#receptions.delete(reception)) this.#bytes -= reception.bytes;
      },
    };
    this.#receptions.add(reception);
    return reception;
  }

  #makeRoom(): void {
    for (const reception of this.#receptions) {
      if (this.#bytes <= httpLimits.receivedBytesMax) return;
      if (reception.bytes === 0) continue;
      reception.close();
      const most = httpLimits.receivedBytesMax;
      const detail = `bodies on their way in take more than ${most} bytes, and this one began first`;
      reception.refuse(problem('OVERLOADED', `${detail}: send it again, and faster`));
    }
  }
}
