import { GatheredBytes } from './gathered-bytes.js';

/** A line that is not blank, without its end. */
export interface Line {
  /** From 1; blank lines count. */
  number: number;
  /** Undefined when it is too long: it was not kept. */
  bytes: Buffer | undefined;
}

/** Lines of text that comes in pieces. They end with LF or CRLF; the last one need not. */
export class LineSplitter {
  readonly #bytesMax: number;
  readonly #held = new GatheredBytes();
  #number = 1;
  #isTooLong = false;

  /** @param bytesMax of one line, its CR included; of a longer one nothing is kept */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Of the line whose end has not come. */
  get heldBytes(): number {
    return this.#held.length;
  }

  /** Of the line that comes next. */
  get number(): number {
    return this.#number;
  }

  /** The lines that this piece ends. It has to be iterated to the end. */
  *feed(piece: Buffer): Iterable<Line> {
    let start = 0;
    for (let end = piece.indexOf(lf); end >= 0; end = piece.indexOf(lf, start)) {
      this.#hold(piece.subarray(start, end));
      start = end + 1;
      yield* this.end();
    }
    this.#hold(piece.subarray(start));
  }

  /** The last line, if there is anything after the last end of one. */
  *end(): Iterable<Line> {
    const held = this.#held.take();
    const isTooLong = this.#isTooLong;
    const number = this.#number++;
    this.#isTooLong = false;
    const bytes = held.at(-1) === cr ? held.subarray(0, -1) : held;
    if (isTooLong) yield { number, bytes: undefined };
    else if (!bytes.every(isBlank)) yield { number, bytes };
  }

  #hold(piece: Buffer): void {
    if (this.#isTooLong) return;
    if (this.#held.length + piece.length > this.#bytesMax) {
      this.#isTooLong = true;
      this.#held.take();
    } else {
      this.#held.add(piece);
    }
  }
}

function isBlank(byte: number): boolean {
  return byte === space || byte === tab;
}

const [tab, lf, cr, space] = [0x09, 0x0a, 0x0d, 0x20];
