import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { packageRoot } from '../../src/native.js';
import { plot } from './plot.js';
import { run, scenarios } from './scenarios.js';

for (const scenario of scenarios) {
  t.test(`docs/scaling/${scenario.name}.svg is what the policy does`, async (t) => {
    const drawn = readFileSync(
      join(packageRoot, 'docs', 'scaling', `${scenario.name}.svg`),
      'utf8',
    );
    t.equal(drawn, plot(scenario, run(scenario)), 'else: npm run simulate:scaling');
  });
}
