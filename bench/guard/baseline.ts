import { readFileSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../src/native.js';
import { median, noiseOf } from './statistics.js';

/** What one quantity was when the baseline was recorded. */
export interface Recorded {
  /** The median of the samples. */
  value: number;
  /** How far above that noise alone may take a measurement, see `noiseOf`. */
  noise: number;
  samples: readonly number[];
}

/** bench/guard/baseline.json */
export interface Baseline {
  /** Why it was recorded, for whoever asks later. */
  reason: string;
  recordedAt: string;
  kernel: string;
  node: string;
  /** Of other engines and processors instructions and allocations say nothing about these. */
  v8: string;
  arch: string;
  quantities: Readonly<Record<string, Recorded>>;
}

const file = join(packageRoot, 'bench', 'guard', 'baseline.json');

/** The first three numbers of V8's version; a fourth is only a repair. */
export const engine = () => process.versions.v8.split('.').slice(0, 3).join('.');

export function readBaseline(): Baseline {
  return JSON.parse(readFileSync(file, 'utf8')) as Baseline;
}

/** @param samples of each quantity, from every repetition */
export function saveBaseline(samples: ReadonlyMap<string, number[]>, reason: string): Baseline {
  const recorded = [...samples].map(([name, values]) => {
    return [name, { value: median(values), noise: noiseOf(values), samples: values }] as const;
  });
  const baseline: Baseline = {
    ...{ reason, recordedAt: new Date().toISOString(), kernel: release(), node: process.version },
    ...{ v8: engine(), arch: process.arch, quantities: Object.fromEntries(recorded) },
  };
  writeFileSync(file, `${JSON.stringify(baseline, round, 2)}\n`);
  return baseline;
}

/** More digits than any measurement has are of no use to who reads the file. */
function round(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(7)) : value;
}
