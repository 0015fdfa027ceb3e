/** Words of 32 bits in an id. */
const words = 4;
const text = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Value of a digit as UUIDs are written here (lower case), or -1. */
function digit(char: number): number {
  if (char >= 48 && char <= 57) return char - 48;
  return char >= 97 && char <= 102 ? char - 87 : -1;
}

/**
 * The ids of the rows of a table: UUIDs, kept as 16 bytes each, and found again by a hash table with
 * linear probing. A million of them take 32 MB; as strings in a Map they would take 110.
 */
export class TaskIds {
  #ids = new Uint32Array(0);
  /** Row plus one at each place, 0: nobody. A power of two long, at most half full. */
  #index = new Int32Array(16);
  readonly #asked = new Uint32Array(words);

  /** Makes room for so many rows. */
  grow(rows: number): void {
    const ids = new Uint32Array(words * rows);
    ids.set(this.#ids);
    this.#ids = ids;
    let places = this.#index.length;
    while (places < 2 * rows) places *= 2;
    if (places > this.#index.length) this.#rehash(places);
  }

  /** The row with this id; -1 when there is none, or the text is no UUID. */
  find(id: string): number {
    return this.#parse(id) ? (this.#index[this.#placeOfAsked()] as number) - 1 : -1;
  }

  /** Gives the row, which there is room for, its id. False when the text is no UUID, or another row has it. */
  add(row: number, id: string): boolean {
    if (!this.#parse(id)) return false;
    const place = this.#placeOfAsked();
    if (this.#index[place] !== 0) return false;
    const asked = this.#asked;
    const at = words * row;
    for (let word = 0; word < words; word++) this.#ids[at + word] = asked[word] as number;
    this.#index[place] = row + 1;
    return true;
  }

  remove(row: number): void {
    const index = this.#index;
    const mask = index.length - 1;
    let place = this.#hash(this.#ids, words * row) & mask;
    while (index[place] !== row + 1) place = (place + 1) & mask;
    index[place] = 0;
    // Those behind it that it had pushed on move up, so that no search ends too early.
    for (let next = (place + 1) & mask; index[next] !== 0; next = (next + 1) & mask) {
      const home = this.#hash(this.#ids, words * ((index[next] as number) - 1)) & mask;
      if (((next - home) & mask) < ((next - place) & mask)) continue;
      index[place] = index[next] as number;
      index[next] = 0;
      place = next;
    }
  }

  text(row: number): string {
    let out = '';
    for (let word = 0; word < words; word++) {
      const bits = this.#ids[words * row + word] as number;
      const high = `${text[bits >>> 24]}${text[(bits >>> 16) & 255]}`;
      const low = `${text[(bits >>> 8) & 255]}${text[bits & 255]}`;
      // 8-4-4-4-12 digits: a dash within the second and third words, and around them.
      out += word === 0 ? high + low : word === 3 ? high + low : `-${high}-${low}`;
    }
    return out;
  }

  /** Reads the text into `#asked`. */
  #parse(id: string): boolean {
    if (id.length !== 36) return false;
    let at = 0;
    for (let word = 0; word < words; word++) {
      let bits = 0;
      for (let count = 0; count < 8; count++, at++) {
        if (at === 8 || at === 13 || at === 18 || at === 23) {
          if (id.charCodeAt(at++) !== 45) return false;
        }
        const value = digit(id.charCodeAt(at));
        if (value < 0) return false;
        bits = (bits << 4) | value;
      }
      this.#asked[word] = bits;
    }
    return true;
  }

  /** Where the id in `#asked` stands; if nowhere, the free place where it would. */
  #placeOfAsked(): number {
    const mask = this.#index.length - 1;
    const asked = this.#asked;
    const ids = this.#ids;
    for (let place = this.#hash(asked, 0) & mask; ; place = (place + 1) & mask) {
      const row = (this.#index[place] as number) - 1;
      if (row < 0) return place;
      const at = words * row;
      if (
        ids[at + 3] === asked[3] &&
        ids[at + 2] === asked[2] &&
        ids[at + 1] === asked[1] &&
        ids[at] === asked[0]
      ) {
        return place;
      }
    }
  }

  /** The last words of a UUIDv7 are random; of other versions, all are or the first is. */
  #hash(ids: Uint32Array, at: number): number {
    const mixed = (ids[at + 3] as number) ^ Math.imul(ids[at] as number, 0x9e3779b1);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  }

  #insert(row: number): void {
    const mask = this.#index.length - 1;
    let place = this.#hash(this.#ids, words * row) & mask;
    while (this.#index[place] !== 0) place = (place + 1) & mask;
    this.#index[place] = row + 1;
  }

  #rehash(places: number): void {
    const before = this.#index;
    this.#index = new Int32Array(places);
    for (const entry of before) if (entry !== 0) this.#insert(entry - 1);
  }
}
