/** Where values stand on an axis, and which of them are written there. */
export interface Scale {
  /** Pixels. Values beyond the ends get places beyond them. */
  at(value: number): number;
  /** Values that have a line of their own, ascending. */
  ticks: readonly number[];
}

export interface LogOptions {
  /** The smallest and largest value that must have a place; both > 0. */
  least: number;
  most: number;
  /** Pixels of the ends. */
  from: number;
  to: number;
  /** Zero has a place too: at `from`, before everything else. */
  zero?: boolean;
}

/** Of the axis, what stands between zero and the smallest value, where zero has a place. */
const zeroShare = 0.09;

/**
 * Each factor of ten is as long as every other. Throws a RangeError if `least` is not above zero or
 * above `most`: a logarithm has no place for it.
 */
export function logScale({ least, most, from, to, zero = false }: LogOptions): Scale {
  if (!(least > 0 && most >= least && Number.isFinite(most))) {
    throw new RangeError(`a logarithmic axis cannot go from ${least} to ${most}`);
  }
  const start = zero ? from + zeroShare * (to - from) : from;
  const decades = Math.log10(most / least);
  const at = (value: number) => {
    if (zero && value === 0) return from;
    if (decades === 0) return start;
    return start + (Math.log10(value / least) / decades) * (to - start);
  };
  return { at, ticks: [...(zero ? [0] : []), ...logTicks(least, most)] };
}

/** Powers of ten; with less than two of them between the ends also 2 and 5 times those. */
export function logTicks(least: number, most: number): number[] {
  const first = Math.floor(Math.log10(least) + 1e-9);
  const last = Math.ceil(Math.log10(most) - 1e-9);
  const steps = last - first < 2 ? [1, 2, 5] : [1];
  const ticks: number[] = [];
  for (let power = first; power <= last; power++) {
    for (const step of steps) ticks.push(Number(`${step}e${power}`));
  }
  const slack = 1 + 1e-9;
  return ticks.filter((tick) => tick >= least / slack && tick <= most * slack);
}

/** Ends of an axis that holds all values: powers of ten, two of them at least. */
export function wholeDecades(values: readonly number[]): { least: number; most: number } {
  const positive = values.filter((value) => value > 0);
  if (positive.length === 0) throw new RangeError('a logarithmic axis needs a value above zero');
  const first = Math.floor(Math.log10(Math.min(...positive)) + 1e-9);
  const last = Math.ceil(Math.log10(Math.max(...positive)) - 1e-9);
  return { least: 10 ** first, most: 10 ** Math.max(last, first + 2) };
}

/** From zero to `most`, in as many equal parts as there are `parts`. */
export function linearScale(options: {
  most: number;
  from: number;
  to: number;
  parts?: number;
}): Scale {
  const { most, from, to, parts = 4 } = options;
  return {
    at: (value) => from + (value / most) * (to - from),
    ticks: Array.from({ length: parts + 1 }, (_, part) => (part / parts) * most),
  };
}

/** The end of a linear axis: a round number above all. */
export function roundAbove(most: number): number {
  const unit = 10 ** Math.floor(Math.log10(Math.max(1, most))) / 2;
  return Math.max(4, Math.ceil((most * 1.05) / unit) * unit);
}
