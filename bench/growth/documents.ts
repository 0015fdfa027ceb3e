import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/native.js';
import { chart } from './chart.js';
import type { Growth } from './growth.js';
import { replaceBlock, table } from './page.js';
import type { PlotResults } from './results.js';

const docs = join(packageRoot, 'docs');
export const pageFile = join(docs, 'GROWTH.md');

export function plotFile({ name }: Growth): string {
  return join(docs, 'growth', `${name}.svg`);
}

/** The page with the table of this plot anew. */
export function pageWith(
  page: string,
  growth: Growth,
  { series, machine, measuredAt }: PlotResults,
) {
  const { cpu, cores, kernel, node } = machine;
  const where = `${cpu}, ${cores} processors, Linux ${kernel}, Node ${node}, ${measuredAt.slice(0, 10)}`;
  return replaceBlock(page, growth.name, `${table(growth, series)}\n\n${where}.`);
}

/** Writes the plot, and its table on the page. */
export function redraw(growth: Growth, results: PlotResults): void {
  mkdirSync(join(docs, 'growth'), { recursive: true });
  writeFileSync(plotFile(growth), chart(growth, results.series));
  writeFileSync(pageFile, pageWith(readFileSync(pageFile, 'utf8'), growth, results));
}
