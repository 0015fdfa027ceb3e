import { bucketOf, bucketsPerDecade, endMs, type LogHistogram } from './log-histogram.js';

export interface Row {
  /** Upper end, milliseconds; absent for what is longer than all others. */
  toMs?: number;
  count: number;
}

/** Buckets in one row: each goes into a decade without a rest, so that rows begin at 1, 10, 100. */
const widths = Array.from({ length: bucketsPerDecade }, (_, index) => index + 1).filter(
  (width) => bucketsPerDecade % width === 0,
);

/**
 * A histogram in few rows: as fine as they allow from the shortest to the 99th percentile, and one
 * more for what is longer, which would leave no room for the rest.
 */
export function rowsOf(histogram: LogHistogram, rowsMax: number): Row[] {
  if (histogram.count === 0) return [];
  const from = bucketOf(histogram.minMs);
  const to = bucketOf(histogram.maxMs);
  const most = bucketOf(histogram.quantileMs(0.99));
  const groupOf = (bucket: number, width: number) => Math.ceil(bucket / width);
  const spans = (width: number) => groupOf(most, width) - groupOf(from, width) + 1;
  const width = widths.find((each) => spans(each) <= rowsMax) ?? bucketsPerDecade;
  const first = groupOf(from, width);
  // What goes into the rows that are left needs none of its own.
  const last = Math.min(groupOf(to, width), first + rowsMax - 1);
  const rows: Row[] = [];
  for (let group = first; group <= last; group++) {
    const bucket = group * width;
    rows.push({ toMs: endMs(bucket), count: countIn(histogram, bucket - width + 1, bucket) });
  }
  const longer = countIn(histogram, last * width + 1, to);
  return longer > 0 ? [...rows, { count: longer }] : rows;
}

function countIn(histogram: LogHistogram, from: number, to: number): number {
  let count = 0;
  for (let bucket = Math.max(0, from); bucket <= to; bucket++) count += histogram.countOf(bucket);
  return count;
}
