/**
 * What waits, by whose it is. Owners have their turns one after the other, so that none waits behind
 * all of another's.
 */
export class Turns<T> {
  /** The owner whose turn is next comes first; none is without anything. */
  readonly #byOwner = new Map<string, T[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(owner: string, item: T): void {
    const own = this.#byOwner.get(owner);
    if (own) own.push(item);
    else this.#byOwner.set(owner, [item]);
    this.#size += 1;
  }

  /** The first of the owner whose turn it is, who is the last from then on. */
  take(): T | undefined {
    for (const [owner, own] of this.#byOwner) {
      const item = own.shift();
      this.#byOwner.delete(owner);
      if (own.length > 0) this.#byOwner.set(owner, own);
      this.#size -= 1;
      return item;
    }
    return undefined;
  }

  /** False: it does not wait. */
  remove(owner: string, item: T): boolean {
    const own = this.#byOwner.get(owner) ?? [];
    const index = own.indexOf(item);
    if (index < 0) return false;
    own.splice(index, 1);
    if (own.length === 0) this.#byOwner.delete(owner);
    this.#size -= 1;
    return true;
  }
}
