// `npm run bench [-- NAME...] [-- --smoke] [-- --list] [-- --soak-seconds N]`
import { parseArgs } from 'node:util';
import { dispatch, dispatchLoad } from './dispatch.js';
import { execute, executeLoad } from './execute.js';
import { fanin } from './fanin.js';
import { frames } from './frames.js';
import { type Bench, runBenches } from './harness.js';
import { page } from './page.js';
import { peers } from './peers/peers.js';
import { pending } from './pending.js';
import { soak } from './soak/soak.js';
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
  page,
  peers,
  soak,
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    smoke: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    'soak-seconds': { type: 'string' },
  },
});
const soakSeconds = Number(values['soak-seconds'] ?? Number.NaN);
const unknown = positionals.filter((name) => !benches.some((bench) => bench.name === name));
if (unknown.length > 0) {
  const known = benches.map((bench) => bench.name).join(', ');
  refuse(`no bench is called ${unknown.join(', ')}: there are ${known}`);
} else if (values['soak-seconds'] !== undefined && !(soakSeconds > 0)) {
  refuse('--soak-seconds is a number of seconds, more than 0');
} else if (values.list) {
  for (const { name, what } of benches) console.log(`${name.padEnd(16)}${what}`);
} else {
  const chosen = positionals.length === 0 ? benches : benches.filter(isChosen);
  const length = soakSeconds > 0 ? { soakSeconds } : {};
  const failed = await runBenches(chosen, { smoke: values.smoke, ...length });
  // Also where one that failed has left a service: it ends with this process.
  process.exit(failed.length > 0 ? 1 : 0);
}

function refuse(why: string): void {
  console.error(why);
  process.exitCode = 2;
}

function isChosen(bench: Bench): boolean {
  return positionals.includes(bench.name);
}
