import { httpLimits } from './limits.js';
import { type Problem, problem } from './problem.js';

/** A body, or a line of one, that is being received. */
export class Reception {
  readonly #room: BodyRoom;
  /** Called at most once, when its room is needed; it is closed then. */
  readonly refuse: (why: Problem) => void;
  /** So many of it are in memory. Assigned by its room. */
  bytes = 0;

  /** Made by BodyRoom only. */
  constructor(room: BodyRoom, refuse: (why: Problem) => void) {
    this.#room = room;
    this.refuse = refuse;
  }

  /** So many bytes of it are in memory now. */
  hold(bytes: number): void {
    this.#room.hold(this, bytes);
  }

  /** What it held so far is used; from now on it counts as the newest. */
  restart(): void {
    this.#room.restart(this);
  }

  /** Gives its room back. Later calls do nothing. */
  close(): void {
    this.#room.close(this);
  }
}

/**
 * The memory for bodies on their way in, all together. Clients that send slowly can fill it, but
 * not keep the others out of it: beyond `receivedBytesMax` the body that began first is refused.
 */
export class BodyRoom {
  readonly #receptions = new Set<Reception>();
  #bytes = 0;

  /** @param refuse called at most once, when its room is needed; it is closed then */
  open(refuse: (why: Problem) => void): Reception {
    const reception = new Reception(this, refuse);
    this.#receptions.add(reception);
    return reception;
  }

  /** For Reception. */
  hold(reception: Reception, bytes: number): void {
    if (!this.#receptions.has(reception)) return;
    this.#bytes += bytes - reception.bytes;
    reception.bytes = bytes;
    if (this.#bytes > httpLimits.receivedBytesMax) this.#makeRoom();
  }

  /** For Reception. */
  restart(reception: Reception): void {
    if (this.#receptions.delete(reception)) this.#receptions.add(reception);
  }

  /** For Reception. */
  close(reception: Reception): void {
    if (this.#receptions.delete(reception)) this.#bytes -= reception.bytes;
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
