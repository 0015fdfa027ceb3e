import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../src/native.js';

/** One bar: what was measured, against what, and whether it holds. */
export interface BenchRow {
  name: string;
  value: number;
  unit: string;
  /** What it is measured against. */
  reference: string;
  referenceValue: number;
  /** value / referenceValue */
  ratio: number;
  /** The bound on the ratio, e.g. '≤ 1.15'. */
  bar: string;
  holds: boolean;
}

export interface BenchOptions {
  /** Very short, to see that it runs: the figures mean nothing. */
  smoke: boolean;
}

export interface Bench {
  name: string;
  run(options: BenchOptions): Promise<BenchRow[]>;
}

export interface Comparison {
  name: string;
  unit: string;
  reference: string;
  bar: { atMost: number } | { atLeast: number };
  /** Each measures both sides once. */
  rounds: number;
  measure: () => Promise<number>;
  measureReference: () => Promise<number>;
}

/** Measures both sides in turn, round by round; the medians are compared. */
export async function compare(comparison: Comparison): Promise<BenchRow> {
  const values: number[] = [];
  const references: number[] = [];
  for (let round = 0; round < comparison.rounds; round++) {
    values.push(await comparison.measure());
    references.push(await comparison.measureReference());
  }
  const { name, unit, reference, bar } = comparison;
  const value = median(values);
  const referenceValue = median(references);
  const ratio = value / referenceValue;
  const holds = 'atMost' in bar ? ratio <= bar.atMost : ratio >= bar.atLeast;
  const bound = 'atMost' in bar ? `≤ ${bar.atMost}` : `≥ ${bar.atLeast}`;
  return { name, value, unit, reference, referenceValue, ratio, bar: bound, holds };
}

/** A figure that may not exceed a bound, which is its own reference. */
export function bound(name: string, value: number, unit: string, most: number): BenchRow {
  const ratio = value / most;
  const measured = { name, value, unit, reference: 'bound', referenceValue: most };
  return { ...measured, ratio, bar: '≤ 1', holds: ratio <= 1 };
}

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN;
  return (lower + upper) / 2;
}

/** Runs the benches, prints a table as they finish, and writes bench/results.json. */
export async function runBenches(benches: Bench[], options: BenchOptions): Promise<void> {
  const rows: BenchRow[] = [];
  console.log(tableLine('name', 'value', 'reference', 'ratio', 'bar', ''));
  for (const bench of benches) {
    for (const row of await bench.run(options)) {
      rows.push(row);
      console.log(formatRow(row));
    }
  }
  if (!options.smoke) save(rows);
}

/** Writes bench/results.json; rows of benches that were not run now are kept from the last time. */
function save(rows: readonly BenchRow[]): void {
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    kernel: release(),
    node: process.version,
    measuredAt: new Date().toISOString(),
  };
  const file = join(packageRoot, 'bench', 'results.json');
  const now = new Set(rows.map(({ name }) => name));
  const kept = savedRows(file).filter(({ name }) => !now.has(name));
  writeFileSync(file, `${JSON.stringify({ machine, rows: [...kept, ...rows] }, null, 2)}\n`);
}

function savedRows(file: string): BenchRow[] {
  if (!existsSync(file)) return [];
  return (JSON.parse(readFileSync(file, 'utf8')) as { rows: BenchRow[] }).rows;
}

function formatRow(row: BenchRow): string {
  const value = `${formatNumber(row.value)} ${row.unit}`;
  const reference = `${formatNumber(row.referenceValue)} (${row.reference})`;
  const verdict = row.holds ? 'holds' : 'DOES NOT HOLD';
  return tableLine(row.name, value, reference, row.ratio.toFixed(2), row.bar, verdict);
}

function tableLine(...cells: [string, string, string, string, string, string]): string {
  const [name, value, reference, ratio, bar, verdict] = cells;
  return [
    name.padEnd(16),
    value.padStart(20),
    reference.padStart(36),
    ratio.padStart(7),
    bar.padStart(8),
    ` ${verdict}`,
  ].join('');
}

function formatNumber(value: number): string {
  return value >= 1000 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
}
