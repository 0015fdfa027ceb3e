import { median, type Spread, spreadOf } from './statistics.js';

/** What a ratio is held against. */
export type Bar = { atMost: number } | { atLeast: number } | { equal: true };

/** Both sides of one comparison. */
export interface BothSides<T> {
  value: T;
  reference: T;
}

/** What was measured, against what, and whether the bar holds, where there is one. */
export interface BenchRow {
  name: string;
  value: number;
  unit: string;
  /** What it is measured against. */
  reference: string;
  referenceValue: number;
  /** value / referenceValue; of two zeros, 1 */
  ratio: number;
  /** The bound on the ratio, e.g. '≤ 1.15'. Absent: the row is for information. */
  bar?: string;
  /** As long as `bar`. */
  holds?: boolean;
  /** Each measured both sides once. */
  rounds: number;
  /** Of the rounds; absent where there was one. */
  spread?: BothSides<Spread>;
  /** What of a task is not lost with the power, where that is part of the work. */
  durability?: BothSides<string>;
}

type Sides = Pick<BenchRow, 'name' | 'value' | 'unit' | 'reference' | 'referenceValue'>;

/** A comparison that could not be made: its other side is not installed here. */
export interface AbsentRow {
  name: string;
  /** What is missing and how it comes here, as one sentence. */
  absent: string;
}

export interface Comparison {
  name: string;
  unit: string;
  reference: string;
  /** Absent: for information. */
  bar?: Bar;
  /** Each measures both sides once; one before them, that does not count, warms both up. */
  rounds: number;
  durability?: BothSides<string>;
  measure: () => Promise<number>;
  measureReference: () => Promise<number>;
}

/**
 * Measures both sides in turn, round by round; the medians are compared. Which side comes first
 * changes with each round, so that neither always finds the host as the other left it.
 */
export async function compare(comparison: Comparison): Promise<BenchRow> {
  const { rounds, measure, measureReference } = comparison;
  const values: number[] = [];
  const references: number[] = [];
  const sides = [
    { measure, into: values },
    { measure: measureReference, into: references },
  ];
  for (const side of sides) await side.measure();
  for (let round = 0; round < rounds; round++) {
    for (const side of sides) side.into.push(await side.measure());
    sides.reverse();
  }
  const { name, unit, reference, bar, durability } = comparison;
  const [value, referenceValue] = [median(values), median(references)];
  const row = rowOf({ name, value, unit, reference, referenceValue });
  return {
    ...row,
    ...judged(row.ratio, bar),
    rounds,
    ...(rounds > 1 && { spread: { value: spreadOf(values), reference: spreadOf(references) } }),
    ...(durability && { durability }),
  };
}

/** A figure that may not exceed a bound, which is its own reference. */
export function bound(name: string, value: number, unit: string, most: number): BenchRow {
  const row = rowOf({ name, value, unit, reference: 'bound', referenceValue: most });
  return { ...row, ...judged(row.ratio, { atMost: 1 }) };
}

/** Two figures of one run, each measured once. Without `bar`, for information. */
export function pair(sides: Sides, bar?: Bar): BenchRow {
  const row = rowOf(sides);
  return { ...row, ...judged(row.ratio, bar) };
}

function rowOf(sides: Sides): BenchRow {
  const { value, referenceValue } = sides;
  return { ...sides, ratio: value === referenceValue ? 1 : value / referenceValue, rounds: 1 };
}

function judged(ratio: number, bar: Bar | undefined): Pick<BenchRow, 'bar' | 'holds'> {
  if (!bar) return {};
  if ('equal' in bar) return { bar: '= 1', holds: ratio === 1 };
  if ('atMost' in bar) return { bar: `≤ ${bar.atMost}`, holds: ratio <= bar.atMost };
  return { bar: `≥ ${bar.atLeast}`, holds: ratio >= bar.atLeast };
}
