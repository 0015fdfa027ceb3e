/** The middle of the values; of an even number of them the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN;
  return (lower + upper) / 2;
}

/** The mean of the middle half: a few values that something else got into do not move it. */
export function middleMean(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const quarter = Math.floor(sorted.length / 4);
  const middle = sorted.slice(quarter, sorted.length - quarter);
  return middle.reduce((sum, value) => sum + value, 0) / middle.length;
}

/** Standard deviation of the population that the values are a sample of. */
export function deviation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}

/**
 * How far a single measurement may lie above the median of the samples by noise alone: three standard
 * deviations, or as far as any sample lay from the median if that is further.
 */
export function noiseOf(samples: readonly number[]): number {
  const middle = median(samples);
  const reach = Math.max(...samples.map((sample) => Math.abs(sample - middle)));
  return Math.max(3 * deviation(samples), reach);
}
