import { randomInt } from 'node:crypto';
import { invariant } from '../invariant.js';

/**
 * User and group ids that nobody else on this host has, of which each run gets one. They come in turn:
 * one that was given back is not another's soon. Where that begins is left to chance, since a killed
 * predecessor may have left something running with the ids that it gave last.
 */
export class ScriptIds {
  readonly #first: number;
  readonly #count: number;
  readonly #taken = new Set<number>();
  #next: number;

  constructor(first: number, count: number) {
    this.#first = first;
    this.#count = count;
    this.#next = randomInt(count);
  }

  take(): number {
    invariant(this.#taken.size < this.#count, 'there are more ids than enclosures');
    for (;;) {
      const id = this.#first + this.#next;
      this.#next = (this.#next + 1) % this.#count;
      if (this.#taken.has(id)) continue;
      this.#taken.add(id);
      return id;
    }
  }

  giveBack(id: number): void {
    this.#taken.delete(id);
  }
}
