import { loadavg } from 'node:os';
import { saveRows } from './results.js';
import type { AbsentRow, BenchRow } from './row.js';
import { formatRow, tableHead } from './table.js';

export interface BenchOptions {
  /** Very short, to see that it runs: the figures mean nothing. */
  smoke: boolean;
  /** How long `soak` keeps the service busy; the others take no notice. */
  soakSeconds?: number;
}

export interface Bench {
  name: string;
  /** What is measured, against what: one line for --list. */
  what: string;
  run(options: BenchOptions): Promise<(BenchRow | AbsentRow)[]>;
}

/**
 * Runs the benches, prints a table as they finish, and writes bench/results.json after each.
 *
 * @returns names of those that failed: they measured nothing, and the others went on
 */
export async function runBenches(benches: Bench[], options: BenchOptions): Promise<string[]> {
  const failed: string[] = [];
  console.log(tableHead);
  for (const bench of benches) {
    const [loadAverage = Number.NaN] = loadavg();
    const measuredAt = new Date().toISOString();
    try {
      const rows = await bench.run(options);
      for (const row of rows) console.log(formatRow(row));
      if (!options.smoke) saveRows(rows, { measuredAt, loadAverage });
    } catch (error) {
      console.error(`${bench.name} FAILED:`, error);
      failed.push(bench.name);
    }
  }
  return failed;
}
