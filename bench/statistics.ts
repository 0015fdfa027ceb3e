/** How far the rounds of one side lie apart. In the unit of what was measured. */
export interface Spread {
  min: number;
  max: number;
  /** From the first to the third quartile, as a share of the median. */
  relativeIqr: number;
}

/** NaN without values. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/**
 * The value below which a share of the values lies, interpolated between its neighbours (type 7 of
 * Hyndman and Fan, "Sample Quantiles in Statistical Packages"). NaN without values.
 *
 * @param share from 0 to 1
 */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}

export function spreadOf(values: readonly number[]): Spread {
  const iqr = quantile(values, 0.75) - quantile(values, 0.25);
  return {
    min: Math.min(...values),
    max: Math.max(...values),
    relativeIqr: iqr / median(values),
  };
}
