import type { Column } from './column.js';

/** Children of a node. Four keys lie in one cache line, and the tree is half as deep as with two. */
const arity = 4;
const capacityMin = 8;

/**
 * A min-heap of rows by key, in which each row can be moved or taken out wherever it stands: O(log n)
 * each. The keys lie in the heap itself, so that a step down costs one cache line.
 */
export class RowHeap {
  /** Where each row stands, plus one; 0: not here. A row may be in one heap of a column only. */
  readonly #places: Column<Int32Array>;
  /** Decides between equal keys; without it, they come in no particular order. */
  readonly #ties: Column<Float64Array> | undefined;
  #rows = new Int32Array(capacityMin);
  #keys = new Float64Array(capacityMin);
  #size = 0;

  constructor(places: Column<Int32Array>, ties?: Column<Float64Array>) {
    this.#places = places;
    this.#ties = ties;
  }

  get size(): number {
    return this.#size;
  }

  /** The row with the lowest key; -1 when there is none. */
  get first(): number {
    return this.#size > 0 ? (this.#rows[0] as number) : -1;
  }

  /** The lowest key; Infinity when there is none. */
  get firstKey(): number {
    return this.#size > 0 ? (this.#keys[0] as number) : Number.POSITIVE_INFINITY;
  }

  has(row: number): boolean {
    return this.#places.get(row) > 0;
  }

  keyOf(row: number): number {
    return this.#keys[this.#places.get(row) - 1] as number;
  }

  /** Puts the row in, or moves it if it is here. */
  set(row: number, key: number): void {
    const place = this.#places.get(row) - 1;
    if (place < 0) {
      if (this.#size === this.#rows.length) this.#resize(2 * this.#size);
      this.#rise(this.#size++, row, key);
    } else if (key < (this.#keys[place] as number)) {
      this.#rise(place, row, key);
    } else {
      this.#sink(place, row, key);
    }
  }

  /** Takes the row out. False when it is not here. */
  remove(row: number): boolean {
    const place = this.#places.get(row) - 1;
    if (place < 0) return false;
    this.#places.set(row, 0);
    const last = --this.#size;
    if (place !== last) {
      const moved = this.#rows[last] as number;
      const key = this.#keys[last] as number;
      const parent = (place - 1) >> 2;
      if (place > 0 && this.#isBefore(moved, key, parent)) this.#rise(place, moved, key);
      else this.#sink(place, moved, key);
    }
    if (this.#rows.length > 4 * this.#size && this.#rows.length > capacityMin) {
      this.#resize(this.#rows.length / 2);
    }
    return true;
  }

  /** How many stand before this row, counted up to `most`. */
  countBefore(row: number, most: number): number {
    const key = this.keyOf(row);
    const open = this.#size > 0 ? [0] : [];
    let count = 0;
    for (let place = open.pop(); place !== undefined && count < most; place = open.pop()) {
      const other = this.#rows[place] as number;
      const otherKey = this.#keys[place] as number;
      // Below one that does not stand before it, none does.
      if (other === row || !this.#precedes(other, otherKey, row, key)) continue;
      count++;
      const child = arity * place + 1;
      for (let next = child; next < child + arity && next < this.#size; next++) open.push(next);
    }
    return count;
  }

  #rise(from: number, row: number, key: number): void {
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 2;
      if (!this.#isBefore(row, key, parent)) break;
      this.#put(place, this.#rows[parent] as number, this.#keys[parent] as number);
      place = parent;
    }
    this.#put(place, row, key);
  }

  #sink(from: number, row: number, key: number): void {
    let place = from;
    for (;;) {
      const child = arity * place + 1;
      if (child >= this.#size) break;
      let best = child;
      const end = Math.min(child + arity, this.#size);
      for (let next = child + 1; next < end; next++) {
        if (this.#isBefore(this.#rows[next] as number, this.#keys[next] as number, best))
          best = next;
      }
      const below = this.#rows[best] as number;
      const belowKey = this.#keys[best] as number;
      if (!this.#precedes(below, belowKey, row, key)) break;
      this.#put(place, below, belowKey);
      place = best;
    }
    this.#put(place, row, key);
  }

  #put(place: number, row: number, key: number): void {
    this.#rows[place] = row;
    this.#keys[place] = key;
    this.#places.set(row, place + 1);
  }

  #isBefore(row: number, key: number, place: number): boolean {
    return this.#precedes(row, key, this.#rows[place] as number, this.#keys[place] as number);
  }

  #precedes(row: number, key: number, other: number, otherKey: number): boolean {
    if (key !== otherKey) return key < otherKey;
    return this.#ties !== undefined && this.#ties.get(row) < this.#ties.get(other);
  }

  #resize(capacity: number): void {
    const rows = new Int32Array(capacity);
    const keys = new Float64Array(capacity);
    rows.set(this.#rows.subarray(0, this.#size));
    keys.set(this.#keys.subarray(0, this.#size));
    this.#rows = rows;
    this.#keys = keys;
  }
}
