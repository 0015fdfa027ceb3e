import type { AbsentRow, BenchRow } from './row.js';
import type { Spread } from './statistics.js';

type Cells = [string, string, string, string, string, string];

/** Of the cells of a line, in characters; what is longer pushes the rest to the right. */
const widths = [30, 28, 52, 8, 8];

export const tableHead = tableLine('name', 'value', 'reference', 'ratio', 'bar', '');

/** One line of the table: medians, and behind ± how far the rounds lie apart. */
export function formatRow(row: BenchRow | AbsentRow): string {
  if ('absent' in row) return `${row.name.padEnd(widths[0] ?? 0)} not here: ${row.absent}`;
  const { spread } = row;
  const value = `${formatNumber(row.value)} ${row.unit}${formatSpread(spread?.value)}`;
  const reference =
    `${formatNumber(row.referenceValue)}${formatSpread(spread?.reference)} ` + `(${row.reference})`;
  return tableLine(row.name, value, reference, row.ratio.toFixed(2), row.bar ?? '', verdict(row));
}

function verdict({ holds }: BenchRow): string {
  if (holds === undefined) return 'for information';
  return holds ? 'holds' : 'DOES NOT HOLD';
}

/** Half of the interquartile range, on either side of the median. */
function formatSpread(spread: Spread | undefined): string {
  return spread ? ` ±${Math.round(50 * spread.relativeIqr)}%` : '';
}

function tableLine(...cells: Cells): string {
  const [name, value, reference, ratio, bar, verdict] = cells;
  const [ofName = 0, ofValue = 0, ofReference = 0, ofRatio = 0, ofBar = 0] = widths;
  return [
    name.padEnd(ofName),
    value.padStart(ofValue),
    reference.padStart(ofReference),
    ratio.padStart(ofRatio),
    bar.padStart(ofBar),
    ` ${verdict}`,
  ].join('');
}

function formatNumber(value: number): string {
  return value >= 1000 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
}
