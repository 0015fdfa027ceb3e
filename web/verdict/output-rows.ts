import type { OutputText } from './output-text.js';

/** A piece of a line, in UTF-16 units. */
export interface Row {
  line: number;
  from: number;
  to: number;
}

/** Characters that take two columns, roughly: East Asian ones and emoji. */
const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\ud83c-\ud83e]/;

/**
 * The rows that a text is shown as: all have the same height, so that where each one is can be told
 * without drawing those before it. A line that is longer than a row goes on in the next.
 */
export class OutputRows {
  readonly columns: number;
  readonly #text: OutputText;
  /** Of each line that was looked at: how many rows there are up to its end. */
  readonly #ends: number[] = [];
  /** Lines of which some characters are wide have rows of half as many. */
  readonly #wideLines = new Set<number>();
  #longest = 0;
  /** Of the text, when it was looked at last. */
  #length = -1;

  /** @param columns characters in a row, at least 2 */
  constructor(text: OutputText, columns: number) {
    this.#text = text;
    this.columns = columns;
  }

  /** Takes in what the text has more than before. */
  update(): void {
    if (this.#length === this.#text.length) return;
    this.#length = this.#text.length;
    // The line that was last may have grown.
    this.#ends.pop();
    const { lineCount } = this.#text;
    for (let line = this.#ends.length; line < lineCount; line += 1) {
      const text = this.#text.line(line);
      if (wide.test(text)) this.#wideLines.add(line);
      const rows = Math.max(1, Math.ceil(text.length / this.#columnsOf(line)));
      this.#ends.push((this.#ends[line - 1] ?? 0) + rows);
      this.#longest = Math.max(this.#longest, text.length);
    }
  }

  get count(): number {
    return this.#ends.at(-1) ?? 0;
  }

  /** Columns of the longest row. */
  get longest(): number {
    return Math.min(this.#longest, this.columns);
  }

  at(row: number): Row {
    const line = this.#lineOf(row);
    const before = this.#ends[line - 1] ?? 0;
    const columns = this.#columnsOf(line);
    const text = this.#text.line(line);
    const from = whole(text, (row - before) * columns);
    return { line, from, to: whole(text, Math.min(text.length, (row - before + 1) * columns)) };
  }

  /** The row in which a character is. */
  rowOf(line: number, character: number): number {
    return (this.#ends[line - 1] ?? 0) + Math.floor(character / this.#columnsOf(line));
  }

  #columnsOf(line: number): number {
    return this.#wideLines.has(line) ? Math.floor(this.columns / 2) : this.columns;
  }

  /** By bisection: the first line that ends after the row. */
  #lineOf(row: number): number {
    let [low, high] = [0, this.#ends.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ends[middle] ?? 0) > row) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** One unit earlier where a character of two would be cut. */
function whole(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  return at > 0 && unit >= 0xdc00 && unit <= 0xdfff ? at - 1 : at;
}
