import type { Paint, Tone } from './paint.js';
import { columnsOf, fitted, visible } from './visible.js';

export interface Column<Row> {
  title: string;
  /** As it came: the table makes it visible. */
  of: (row: Row) => string;
  side?: 'left' | 'right';
  tone?: (row: Row) => Tone | undefined;
  /** What it is sorted by; else its text. */
  sortBy?: (row: Row) => number;
  /** Goes when there is no room: the highest first. Without it the column stays. */
  leaves?: number;
  /** Of a column that may be cut; it is cut to no less. */
  columnsMin?: number;
  columnsMax?: number;
}

const gap = 2;

/** Rows below their titles, each within `width` columns. */
export function tableLines<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  width: number,
  paint: Paint,
): string[] {
  const texts = new Map(
    columns.map((column) => [column, rows.map((row) => visible(column.of(row)))]),
  );
  const widths = new Map(
    columns.map((column) => {
      const longest = (texts.get(column) ?? []).reduce(
        (most, text) => Math.max(most, columnsOf(text)),
        column.title.length,
      );
      return [column, Math.min(longest, column.columnsMax ?? longest)];
    }),
  );
  const shown = fitting(columns, widths, width);
  const line = (cell: (column: Column<Row>) => string) =>
    shown.map(cell).join(' '.repeat(gap)).trimEnd();
  const widthOf = (column: Column<Row>) => widths.get(column) ?? 0;
  return [
    line((column) => paint('quiet', fitted(column.title, widthOf(column), column.side))),
    ...rows.map((row, index) =>
      line((column) => {
        const text = fitted(texts.get(column)?.[index] ?? '', widthOf(column), column.side);
        const tone = column.tone?.(row);
        return tone === undefined ? text : paint(tone, text);
      }),
    ),
  ];
}

/** Takes columns away, then cuts those that may be cut, until the rest has room. */
function fitting<Row>(
  columns: readonly Column<Row>[],
  widths: Map<Column<Row>, number>,
  width: number,
): Column<Row>[] {
  let shown = [...columns];
  const least = (column: Column<Row>) =>
    Math.min(widths.get(column) ?? 0, column.columnsMin ?? widths.get(column) ?? 0);
  const taken = (of: (column: Column<Row>) => number) =>
    shown.reduce((sum, column) => sum + of(column) + gap, -gap);
  while (taken(least) > width) {
    const [goes] = shown
      .filter(({ leaves }) => leaves !== undefined)
      .sort((a, b) => (b.leaves ?? 0) - (a.leaves ?? 0));
    if (!goes) break;
    shown = shown.filter((column) => column !== goes);
  }
  for (const column of [...shown].reverse()) {
    const over = taken((one) => widths.get(one) ?? 0) - width;
    if (over <= 0) break;
    widths.set(column, Math.max(least(column), (widths.get(column) ?? 0) - over));
  }
  return shown;
}

/** Rows in the order of one column; equal ones stay as they were. */
export function sorted<Row>(
  rows: readonly Row[],
  { of, sortBy }: Column<Row>,
  isReversed = false,
): Row[] {
  const compare = (a: Row, b: Row) =>
    sortBy ? sortBy(a) - sortBy(b) : of(a) < of(b) ? -1 : of(a) > of(b) ? 1 : 0;
  return [...rows].sort((a, b) => (isReversed ? -compare(a, b) : compare(a, b)));
}

/** Columns of the terminal; where it is none, as many as a line needs. */
export function widthOf(stream: NodeJS.WriteStream): number {
  return stream.isTTY ? stream.columns || 80 : Number.POSITIVE_INFINITY;
}
