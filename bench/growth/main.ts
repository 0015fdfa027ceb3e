// `npm run bench:growth [-- NAME...] [-- --smoke | --redraw]`
import { parseArgs } from 'node:util';
import { growths } from './catalogue.js';
import { chart } from './chart.js';
import { redraw } from './documents.js';
import { type Growth, Samples } from './growth.js';
import { table } from './page.js';
import { loadResults, saveMeasured } from './results.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    smoke: { type: 'boolean', default: false },
    redraw: { type: 'boolean', default: false },
  },
});
const unknown = positionals.filter((name) => !growths.some((growth) => growth.name === name));
if (unknown.length > 0) {
  const known = growths.map(({ name }) => name).join(', ');
  console.error(`no plot is called ${unknown.join(', ')}: there are ${known}`);
  process.exitCode = 2;
} else if (values.smoke && values.redraw) {
  console.error(
    '--smoke measures and writes nothing, --redraw writes and measures nothing: choose one',
  );
  process.exitCode = 2;
} else {
  const chosen = growths.filter(
    ({ name }) => positionals.length === 0 || positionals.includes(name),
  );
  for (const growth of chosen) {
    if (!values.redraw) await measure(growth);
    if (!values.smoke) draw(growth);
  }
}

/** Prints what was measured, and keeps it in results.json unless it is only a smoke test. */
async function measure(growth: Growth): Promise<void> {
  const samples = new Samples();
  const startMs = performance.now();
  await growth.run({ smoke: values.smoke }, samples);
  const series = samples.measured();
  const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
  console.log(`\n${growth.title} (${seconds} s)\n\n${table(growth, series)}`);
  if (!values.smoke) return saveMeasured(growth.name, series);
  chart(growth, series);
}

function draw(growth: Growth): void {
  const results = loadResults()[growth.name];
  if (!results) throw new Error(`${growth.name} has not been measured: leave --redraw out`);
  redraw(growth, results);
}
