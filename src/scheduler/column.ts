type Cells = Float64Array | Int32Array | Uint8Array;

/**
 * One number of every row of a table, 0 where none was set. A typed array: a million rows are one
 * object, and pages of it that were never written take no memory.
 */
export class Column<T extends Cells> {
  readonly #make: (rows: number) => T;
  #cells: T;

  constructor(make: (rows: number) => T) {
    this.#make = make;
    this.#cells = make(0);
  }

  get(row: number): number {
    return this.#cells[row] as number;
  }

  set(row: number, value: number): void {
    this.#cells[row] = value;
  }

  /** Makes room for so many rows; what is there stays. */
  grow(rows: number): void {
    const cells = this.#make(rows);
    cells.set(this.#cells);
    this.#cells = cells;
  }
}

export const float64 = (rows: number) => new Float64Array(rows);
export const int32 = (rows: number) => new Int32Array(rows);
export const uint8 = (rows: number) => new Uint8Array(rows);
