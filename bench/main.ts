// `npm run bench [-- NAME...] [-- --smoke]`
import { parseArgs } from 'node:util';
import { dispatch, dispatchLoad } from './dispatch.js';
import { execute, executeLoad } from './execute.js';
import { fanin } from './fanin.js';
import { frames } from './frames.js';
import { type Bench, runBenches } from './harness.js';
import { pending } from './pending.js';
import { startCold, startWarm } from './start.js';
import { submit } from './submit.js';
import { wake } from './wake.js';
import { workersThousand } from './workers.js';

const benches: Bench[] = [
  wake,
  fanin,
  frames,
  startCold,
  startWarm,
  execute,
  executeLoad,
  dispatch,
  dispatchLoad,
  submit,
  pending,
  workersThousand,
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { smoke: { type: 'boolean', default: false } },
});
const unknown = positionals.filter((name) => !benches.some((bench) => bench.name === name));
if (unknown.length > 0) {
  const known = benches.map((bench) => bench.name).join(', ');
  console.error(`no bench is called ${unknown.join(', ')}: there are ${known}`);
  process.exitCode = 2;
} else {
  const chosen = positionals.length === 0 ? benches : benches.filter(isChosen);
  await runBenches(chosen, { smoke: values.smoke });
}

function isChosen(bench: Bench): boolean {
  return positionals.includes(bench.name);
}
