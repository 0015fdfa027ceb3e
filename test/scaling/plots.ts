/**
 * Writes docs/scaling/*.svg: npm run simulate:scaling
 *
 * The policy of src/scaling with workers and tasks in a time of their own; the same each time.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/native.js';
import { plot } from './plot.js';
import { run, scenarios } from './scenarios.js';

const folder = join(packageRoot, 'docs', 'scaling');
mkdirSync(folder, { recursive: true });
for (const scenario of scenarios) {
  const samples = run(scenario);
  const file = join(folder, `${scenario.name}.svg`);
  writeFileSync(file, plot(scenario, samples));
  const most = Math.max(...samples.map(({ all }) => all));
  process.stdout.write(`${file}: at most ${most} pods, ${samples.at(-1)?.all} at the end\n`);
}
