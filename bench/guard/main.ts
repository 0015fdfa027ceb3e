// `npm run bench:guard [-- --record --reason TEXT [--repetitions LEAST]]`: what a task costs in
// quantities that do not depend on how busy the machine is, against what was recorded.
import { parseArgs } from 'node:util';
import { readBaseline, saveBaseline } from './baseline.js';
import { makeBusy } from './busy.js';
import { partsProbe } from './parts-probe.js';
import type { Findings, Probe } from './quantity.js';
import { adviceOf, recordedTable, tableOf } from './report.js';
import { stepsProbe } from './steps-probe.js';
import { fails, type Judgement, judge, judgeAll } from './verdict.js';

const probes = [partsProbe, stepsProbe] as const;
/** A loss counts if it is in every one of so many measurements. */
const measurementsMax = 3;
/** A record takes as many repetitions as fit, at least and at most these. */
const repetitionsLeast = 5;
const repetitionsMost = 9;
const recordMsMax = 270_000;

const { values: flags } = parseArgs({
  options: {
    record: { type: 'boolean', default: false },
    reason: { type: 'string' },
    repetitions: { type: 'string', default: `${repetitionsLeast}` },
  },
});
if (!flags.record) process.exitCode = await guard();
else if (!flags.reason)
  refuse('--record needs --reason TEXT: why what was recorded holds no longer');
else if (!/^[2-9]$/.test(flags.repetitions)) refuse('--repetitions has to be 2 to 9');
else await record(flags.reason);

function refuse(text: string): void {
  console.error(text);
  process.exitCode = 2;
}

/** The exit status: 1 for a loss. */
async function guard(): Promise<number> {
  const baseline = readBaseline();
  const found = await measureAll(0);
  const judgements = judgeAll(baseline, found);
  for (const probe of probes) await confirm(probe, judgements);
  console.log(tableOf(judgements));
  for (const line of adviceOf(judgements)) console.log(line);
  return fails(judgements, { all: process.env.SCRIPTD_TEST_ALL === '1' }) ? 1 : 0;
}

/** Measures again what seems worse; of each quantity the best measurement counts. */
async function confirm(probe: Probe, judgements: Judgement[]): Promise<void> {
  const isOfProbe = ({ name }: Judgement) => probe.of.some((start) => name.startsWith(start));
  for (let repetition = 1; repetition < measurementsMax; repetition++) {
    const worse = judgements.filter((one) => one.verdict === 'worse' && isOfProbe(one));
    if (worse.length === 0) return;
    console.log(`measured again, since worse: ${worse.map(({ name }) => name).join('; ')}`);
    const { values } = await probe.measure(repetition);
    for (const one of worse) {
      const again = values.get(one.name) ?? Number.POSITIVE_INFINITY;
      if (again >= (one.now ?? Number.POSITIVE_INFINITY)) continue;
      judgements[judgements.indexOf(one)] = judge(one.name, one.recorded, again);
    }
  }
}

/** Every other repetition has all processors busy: that makes a part of the noise. */
async function record(reason: string): Promise<void> {
  const least = Number(flags.repetitions);
  const samples = new Map<string, number[]>();
  const startMs = performance.now();
  let unmeasured: Findings['unmeasured'] = [];
  for (let repetition = 0; repetition < repetitionsMost; repetition++) {
    const tookMs = performance.now() - startMs;
    if (repetition >= least && tookMs > recordMsMax) break;
    console.log(`repetition ${repetition + 1}, after ${Math.round(tookMs / 1000)} s`);
    const rest = repetition % 2 === 1 ? makeBusy() : () => undefined;
    try {
      const found = await measureAll(repetition);
      unmeasured = found.unmeasured;
      for (const [name, value] of found.values) {
        samples.set(name, [...(samples.get(name) ?? []), value]);
      }
    } finally {
      rest();
    }
  }
  console.log(recordedTable(saveBaseline(samples, reason)));
  for (const { of, why } of unmeasured) console.log(`not measured here: ${of}: ${why}`);
}

async function measureAll(repetition: number): Promise<Findings> {
  const values = new Map<string, number>();
  const unmeasured: Findings['unmeasured'][number][] = [];
  for (const probe of probes) {
    const found = await probe.measure(repetition);
    for (const [name, value] of found.values) values.set(name, value);
    unmeasured.push(...found.unmeasured);
  }
  return { values, unmeasured };
}
