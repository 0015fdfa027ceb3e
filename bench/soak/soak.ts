import { setTimeout as delay } from 'node:timers/promises';
import { workerLimits } from '../../src/worker/limits.js';
import type { Bench, BenchOptions } from '../harness.js';
import { type Bar, type BenchRow, pair } from '../row.js';
import { type Service, startService } from '../service.js';
import { median } from '../statistics.js';
import { type Census, counted, takeCensus } from './census.js';
import { kinds } from './kinds.js';
import { clients, Load } from './load.js';

/** Decides what each client does, and in which order: the same in every run. */
const seed = 20_260_101;
const loadSecondsDefault = 600;
/** Of the load: what is there then is what must be there at the end. */
const baselineSeconds = 60;
const sampleMs = 2_000;
/** Finished tasks go soon, so that none of what grows by design does: their number, the store. */
const retentionMs = 60_000;

/** How long each part of it takes. Milliseconds. */
interface Plan {
  /** Load before the first count, and after it. */
  firstMs: number;
  restOfLoadMs: number;
  /** Without load before each count: until the processes held ready for a burst are given up. */
  restMs: number;
  /** Of looks at what memory is left then. */
  countMs: number;
  sampleMs: number;
}

function planOf({ smoke, soakSeconds }: BenchOptions): Plan {
  const totalMs = (soakSeconds ?? (smoke ? 6 : loadSecondsDefault)) * 1000;
  const firstMs = Math.min(baselineSeconds * 1000, totalMs / 2);
  const restMs = smoke ? 2_000 : 2 * workerLimits.demandMs + 10_000;
  const restOfLoadMs = totalMs - firstMs;
  if (smoke) return { firstMs, restOfLoadMs, restMs, countMs: 1_000, sampleMs: 500 };
  return { firstMs, restOfLoadMs, restMs, countMs: 10_000, sampleMs };
}

/** Mixed load for ten minutes: nothing of the service may grow after the first. */
export const soak: Bench = {
  name: 'soak',
  what: 'memory, processes, descriptors after ten minutes of mixed and hostile load, against one',
  async run(options) {
    const plan = planOf(options);
    const flags = [`--retention-ms=${retentionMs}`];
    const service = await startService({ clients, workers: 'python=3,bash=3,noop=2', flags });
    try {
      return await soaked(service, plan);
    } finally {
      await service.stop();
    }
  },
};

async function soaked(service: Service, plan: Plan): Promise<BenchRow[]> {
  const load = new Load(service, kinds, seed);
  const phase = async (forMs: number) => {
    const underLoad = await sampledWhile(service, plan.sampleMs, () => load.keepUp(forMs));
    // Else it would be luck how much of it was there a moment ago, and so how large heaps still are.
    await load.swell();
    refuseWrong(load);
    load.leave();
    await untilNothingRuns(service);
    await delay(plan.restMs);
    const resting = await sampledWhile(service, plan.sampleMs, () => delay(plan.countMs));
    return { underLoad, resting, atRest: takeCensus(service.pid, service.dataDir) };
  };
  // So that every kind was there before the first count.
  await load.doEach();
  const first = await phase(plan.firstMs);
  const last = await phase(plan.restOfLoadMs);
  console.log(`soak: seed ${seed}, ${load.total} done: ${JSON.stringify([...load.done])}`);
  return rowsOf(first, last);
}

/** @throws Error with all that was other than it had to be */
function refuseWrong({ wrong, total }: Load): void {
  if (wrong.length === 0) return;
  throw new Error(`of ${total} done, these came out wrong:\n${wrong.join('\n')}`);
}

interface Phase {
  underLoad: Census[];
  /** When the load was over. */
  resting: Census[];
  atRest: Census;
}

async function sampledWhile(
  { pid, dataDir }: Service,
  everyMs: number,
  work: () => Promise<void>,
): Promise<Census[]> {
  const samples: Census[] = [];
  const take = () => samples.push(takeCensus(pid, dataDir));
  const timer = setInterval(take, everyMs);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  take();
  return samples;
}

/**
 * Less than what is left of the wall limit of a script whose client left at the end: that it is over
 * shows that it was cancelled.
 */
const quietMsMax = 20_000;

/** @throws Error when something still runs or waits after a time */
async function untilNothingRuns({ http }: Service): Promise<void> {
  const endsAtMs = performance.now() + quietMsMax;
  for (;;) {
    const { body } = await http.json('GET', '/v1/queues');
    const { queues } = body as { queues: { ready: number; waiting: number; running: number }[] };
    if (queues.every(({ ready, waiting, running }) => ready + waiting + running === 0)) break;
    if (performance.now() > endsAtMs) {
      throw new Error(`still not finished: ${JSON.stringify(queues)}`);
    }
    await delay(100);
  }
  http.close();
}

const megabyte = 1024 * 1024;

const reference = 'after the first minute';

function rowsOf(first: Phase, last: Phase): BenchRow[] {
  const names = [...last.atRest.parts.keys()];
  const memory = (name: string, when: 'resting' | 'underLoad', parts: string[], bar?: Bar) => {
    const [value, referenceValue] = [memoryOf(last[when], parts), memoryOf(first[when], parts)];
    return pair({ name, unit: 'MiB', reference, value, referenceValue }, bar);
  };
  const counts = counted.map((what) => {
    const [value, referenceValue] = [last.atRest[what], first.atRest[what]];
    return pair(
      { name: `soak ${what}`, unit: '', reference, value, referenceValue },
      { equal: true },
    );
  });
  return [
    memory('soak memory', 'resting', names, { atMost: 1.1 }),
    ...names.map((name) => memory(`soak memory, ${name}`, 'resting', [name])),
    memory('soak memory, under load', 'underLoad', names),
    ...counts,
    storeRow(first, last),
  ];
}

function storeRow(first: Phase, last: Phase): BenchRow {
  const [value, referenceValue] = [last, first].map(({ atRest }) => atRest.storeBytes / megabyte);
  const sides = { value: value ?? Number.NaN, referenceValue: referenceValue ?? Number.NaN };
  return pair({ name: 'soak store', unit: 'MiB', reference, ...sides });
}

/** Anonymous memory of these parts together, MiB: the median of the last half minute. */
function memoryOf(samples: readonly Census[], names: readonly string[]): number {
  const sums = samples
    .slice(-windowSamples)
    .map(({ parts }) =>
      names.reduce((sum, name) => sum + (parts.get(name)?.anonymousBytes ?? 0), 0),
    );
  return median(sums) / megabyte;
}

const windowSamples = 15;
