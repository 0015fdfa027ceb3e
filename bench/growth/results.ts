import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../src/native.js';
import type { Measured } from './growth.js';

/** What was measured last of one plot, with where and when. */
export interface PlotResults {
  machine: { cpu: string; cores: number; memoryBytes: number; kernel: string; node: string };
  /** RFC 3339 */
  measuredAt: string;
  series: Measured;
}

/** By the name of the plot. */
export type Results = Record<string, PlotResults>;

const file = join(packageRoot, 'bench', 'growth', 'results.json');

/** Empty where nothing has been measured yet. */
export function loadResults(): Results {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Results) : {};
}

/** Keeps those of other plots. */
export function saveMeasured(plot: string, series: Measured): void {
  const machine = {
    ...{ cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, memoryBytes: totalmem() },
    ...{ kernel: release(), node: process.version },
  };
  const one = { machine, measuredAt: new Date().toISOString(), series: rounded(series) };
  const results = { ...loadResults(), [plot]: one };
  // A point on a line: a file that can be read.
  const text = JSON.stringify(results, null, 2).replace(/\[[^[\]{}]*\]/g, (values) =>
    values.replace(/\s+/g, ' '),
  );
  writeFileSync(file, `${text}\n`);
}

/** To four digits: more is noise. */
function rounded(series: Measured): Measured {
  const entries = Object.entries(series).map(([key, points]) => [
    key,
    points.map(({ work, values }) => ({
      work,
      values: values.map((value) => Number(value.toPrecision(4))),
    })),
  ]);
  return Object.fromEntries(entries) as Measured;
}
