import type { OutputText } from './output-text.js';

/** Where what is looked for stands, in UTF-16 units. */
export interface Match {
  line: number;
  from: number;
  to: number;
}

/** More are not looked for. */
export const matchesMax = 10_000;

/** All places of a text at which something stands, in whatever case; the text may grow meanwhile. */
export class OutputMatches {
  readonly found: Match[] = [];
  readonly #text: OutputText;
  readonly #pattern: RegExp;
  /** The first line that has not been looked at, or may have grown since. */
  #line = 0;
  /** Of the text, when it was looked at last. */
  #length = -1;

  /** @param sought not empty */
  constructor(text: OutputText, sought: string) {
    this.#text = text;
    this.#pattern = new RegExp(sought.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), 'giu');
  }

  /** Goes on to the end of the text as it is now. */
  update(): void {
    if (this.#length === this.#text.length) return;
    this.#length = this.#text.length;
    while ((this.found.at(-1)?.line ?? -1) >= this.#line) this.found.pop();
    const { lineCount } = this.#text;
    for (let line = this.#line; line < lineCount; line += 1) {
      for (const { index, 0: piece } of this.#text.line(line).matchAll(this.#pattern)) {
        if (this.found.length === matchesMax) return;
        this.found.push({ line, from: index, to: index + piece.length });
      }
    }
    this.#line = Math.max(0, lineCount - 1);
  }

  /** Those in a part of a line. */
  within(line: number, from: number, to: number): Match[] {
    const first = this.#firstAfter(line, from);
    const matches: Match[] = [];
    for (let index = first; index < this.found.length; index += 1) {
      const match = this.found[index];
      if (!match || match.line !== line || match.from >= to) break;
      matches.push(match);
    }
    return matches;
  }

  /** By bisection: the first match that ends after a place. */
  #firstAfter(line: number, from: number): number {
    let [low, high] = [0, this.found.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const match = this.found[middle];
      if (match && (match.line > line || (match.line === line && match.to > from))) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
