import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../src/native.js';
import { machine, peerVersions } from './machine.js';
import type { AbsentRow, BenchRow } from './row.js';

/** When a row was measured. */
export interface Occasion {
  /** RFC 3339. */
  measuredAt: string;
  /** Of the last minute before its bench began: what else ran here. */
  loadAverage: number;
}

type SavedRow = (BenchRow | AbsentRow) & Occasion;

const file = join(packageRoot, 'bench', 'results.json');

/**
 * Writes bench/results.json: the newest of each row, with what it was measured on and against. Rows of
 * benches that were not run now are kept from the last time.
 */
export function saveRows(rows: readonly (BenchRow | AbsentRow)[], occasion: Occasion): void {
  const now = new Set(rows.map(({ name }) => name));
  const kept = savedRows().filter(({ name }) => !now.has(name));
  const all = [...kept, ...rows.map((row) => ({ ...row, ...occasion }))];
  const written = { machine: machine(), versions: peerVersions(), rows: all };
  writeFileSync(
    file,
    `${JSON.stringify(written, null, 2)}
`,
  );
}

function savedRows(): SavedRow[] {
  if (!existsSync(file)) return [];
  return (JSON.parse(readFileSync(file, 'utf8')) as { rows: SavedRow[] }).rows;
}
