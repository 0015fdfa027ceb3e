import type { OwedDelivery } from '../store/port.js';

/** At most so many. */
export interface OwedLimits {
  waitingMax: number;
  waitingPerOriginMax: number;
  flyingMax: number;
  flyingPerOriginMax: number;
}

interface Origin {
  readonly name: string;
  readonly waiting: OwedDelivery[];
  flying: number;
  /** The store has more for it than may wait here. */
  hasMore: boolean;
  /** How many wait, as `#byWaiting` has it. */
  rank: number;
}

/**
 * Deliveries that are due now, in a queue for each receiver. Receivers take turns, and each has few
 * under way: one that does not answer holds up nobody but itself. Nor do many fill all the room that
 * there is: the longest queue gives way to shorter ones.
 */
export class OwedDeliveries {
  readonly #limits: OwedLimits;
  readonly #origins = new Map<string, Origin>();
  /** With something that waits and room for it, in the order of their turns. */
  readonly #ready = new Set<Origin>();
  /** By how many wait for them. */
  readonly #byWaiting: Set<Origin>[] = [];
  /** Task ids of all that waits or is under way. */
  readonly #known = new Set<string>();
  #flying = 0;

  constructor(limits: OwedLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#known.size;
  }

  has(taskId: string): boolean {
    return this.#known.has(taskId);
  }

  /** False: there is no room, it has to be brought again. What is known already is not taken twice. */
  add(owed: OwedDelivery): boolean {
    if (this.#known.has(owed.taskId)) return true;
    const origin = this.#originOf(owed.origin);
    const isFull = origin.waiting.length >= this.#limits.waitingPerOriginMax;
    if (isFull || !this.#makeRoom(origin)) {
      origin.hasMore = true;
      this.#tidy(origin);
      return false;
    }
    this.#known.add(owed.taskId);
    origin.waiting.push(owed);
    this.#tidy(origin);
    return true;
  }

  /** The next whose turn it is; it is under way from here on, until `end`. */
  begin(): OwedDelivery | undefined {
    if (this.#flying >= this.#limits.flyingMax) return undefined;
    for (const origin of this.#ready) {
      const owed = origin.waiting.shift();
      this.#ready.delete(origin);
      if (!owed) continue;
      origin.flying += 1;
      this.#flying += 1;
      this.#tidy(origin);
      return owed;
    }
    return undefined;
  }

  /** @returns whether the store has more for this receiver, of which none waits here any more */
  end({ taskId, origin: name }: OwedDelivery): boolean {
    const origin = this.#originOf(name);
    this.#known.delete(taskId);
    origin.flying -= 1;
    this.#flying -= 1;
    const isShort = origin.hasMore && origin.waiting.length === 0;
    if (isShort) origin.hasMore = false;
    this.#tidy(origin);
    return isShort;
  }

  #originOf(name: string): Origin {
    const known = this.#origins.get(name);
    if (known) return known;
    const origin = { name, waiting: [], flying: 0, hasMore: false, rank: 0 };
    this.#origins.set(name, origin);
    return origin;
  }

  /** For one more of this receiver. What gives way is still in the store, and brought again. */
  #makeRoom({ waiting }: Origin): boolean {
    if (this.#known.size < this.#limits.waitingMax) return true;
    const longest = this.#longest();
    // Between two that are as long, each would take the other's place again and again.
    if (!longest || longest.waiting.length <= waiting.length + 1) return false;
    const newest = longest.waiting.pop();
    if (newest) this.#known.delete(newest.taskId);
    longest.hasMore = true;
    this.#tidy(longest);
    return true;
  }

  #longest(): Origin | undefined {
    while (this.#byWaiting.at(-1)?.size === 0) this.#byWaiting.pop();
    const [longest] = this.#byWaiting.at(-1) ?? [];
    return longest;
  }

  #tidy(origin: Origin): void {
    const { length } = origin.waiting;
    if (length !== origin.rank) {
      this.#byWaiting[origin.rank]?.delete(origin);
      while (this.#byWaiting.length <= length) this.#byWaiting.push(new Set());
      if (length > 0) this.#byWaiting[length]?.add(origin);
      origin.rank = length;
    }
    const hasRoom = origin.flying < this.#limits.flyingPerOriginMax;
    if (length > 0 && hasRoom) this.#ready.add(origin);
    if (length === 0 && origin.flying === 0) this.#origins.delete(origin.name);
  }
}
