/**
 * The tallest element that is made: browsers cut what is much taller (Firefox at 17.9 million pixels,
 * Chromium at 33.5), without a word. Pixels.
 */
export const spacePxMax = 10_000_000;

/** Rows that are made beyond both edges of what is seen, so that quick scrolling shows no gaps. */
const rowsBeyond = 8;

/** Which rows to make, and where to put them. */
export interface Span {
  from: number;
  /** Not itself. */
  to: number;
  /** Of the first row's upper edge, in the scrolled element. */
  topPx: number;
}

/**
 * Where rows of one height are in an element that scrolls. While all fit into `spacePxMax` a pixel
 * scrolled is a pixel of the list. Beyond, small movements stay so, and large ones (the scroll bar
 * dragged) go to the same share of the list.
 */
export class GridSpace {
  rows = 0;
  rowPx = 40;
  /** Height of what is seen of the rows. */
  viewPx = 0;
  /** Where the element is scrolled to, and the list with it. */
  #scrolledPx = 0;
  #offsetPx = 0;

  /** Of the element that is scrolled. */
  get heightPx(): number {
    return Math.min(this.#listPx, spacePxMax);
  }

  /** Of the list, were it as tall as its rows together. */
  get #listPx(): number {
    return this.rows * this.rowPx;
  }

  /** Where the element is to be. */
  get scrolledPx(): number {
    return this.#scrolledPx;
  }

  /** The first row of which something is seen. */
  get firstRow(): number {
    return Math.floor(this.#offsetPx / this.rowPx);
  }

  get isAtTop(): boolean {
    return this.#offsetPx < this.rowPx / 2;
  }

  /** Rows that are seen whole at once; at least one. */
  get rowsSeen(): number {
    return Math.max(1, Math.floor(this.viewPx / this.rowPx));
  }

  /**
   * The element was scrolled there.
   *
   * @returns where it must be put instead, so that both ends of the list can be reached
   */
  scrolled(topPx: number): number | undefined {
    const movedPx = topPx - this.#scrolledPx;
    this.#scrolledPx = topPx;
    const scrollablePx = this.heightPx - this.viewPx;
    const lastPx = Math.max(0, this.#listPx - this.viewPx);
    if (this.#listPx <= spacePxMax || scrollablePx <= 0) {
      this.#offsetPx = topPx;
      return undefined;
    }
    const isJump = Math.abs(movedPx) > 2 * this.viewPx;
    const offsetPx = isJump ? (topPx / scrollablePx) * lastPx : this.#offsetPx + movedPx;
    this.#offsetPx = Math.min(lastPx, Math.max(0, offsetPx));
    return this.#corrected(topPx, scrollablePx, lastPx);
  }

  /** Near an edge of the element that is none of the list, or the other way round. */
  #corrected(topPx: number, scrollablePx: number, lastPx: number): number | undefined {
    const isEdge = topPx < this.viewPx || topPx > scrollablePx - this.viewPx;
    const isLast = this.#offsetPx < this.viewPx || this.#offsetPx > lastPx - this.viewPx;
    if (isEdge === isLast) return undefined;
    return this.#follow();
  }

  /** The rows that are seen, and some more. */
  span(): Span {
    const from = Math.max(0, this.firstRow - rowsBeyond);
    const seen = Math.ceil(this.viewPx / this.rowPx) + 1 + 2 * rowsBeyond;
    const to = Math.min(this.rows, from + seen);
    return { from, to, topPx: this.#scrolledPx - this.#offsetPx + from * this.rowPx };
  }

  /** Where to scroll the element so that a row is seen whole; undefined: it is. */
  reveal(index: number): number | undefined {
    const topPx = index * this.rowPx;
    const lowestPx = topPx + this.rowPx - this.viewPx;
    if (topPx >= this.#offsetPx && lowestPx <= this.#offsetPx) return undefined;
    this.#offsetPx = Math.max(0, topPx < this.#offsetPx ? topPx : lowestPx);
    return this.#follow();
  }

  /** Puts the element to where the list is. */
  #follow(): number {
    const lastPx = this.#listPx - this.viewPx;
    this.#scrolledPx =
      this.#listPx <= spacePxMax
        ? this.#offsetPx
        : Math.round((this.#offsetPx / lastPx) * (spacePxMax - this.viewPx));
    return this.#scrolledPx;
  }
}
