import t from 'tap';
import { systemClock } from '../../src/clock.js';
import { familiesOf } from '../../src/controller/families.js';
import { Figures } from '../../src/controller/figures.js';
import type { UpWorker } from '../../src/controller/fleet.js';
import { Overview } from '../../src/controller/overview.js';
import { Standing, type StandingOptions } from '../../src/controller/standing.js';
import { layerNames } from '../../src/isolation.js';
import { createLog } from '../../src/log.js';
import { decodePayload, encodeFrame } from '../../src/wire/codec.js';
import { prefixBytes } from '../../src/wire/frame.js';
import {
  type AbsentWorker,
  partsShownMax,
  type WorkerReport,
  workersReportedMax,
} from '../../src/wire/reports.js';
import { worker } from '../http/overview-samples.js';

function overviewOf(workers: WorkerReport[], absent: AbsentWorker[] = []) {
  const stands = { ready: true, draining: false, missing: [], pending: 0, running: 0, workers };
  const overview = new Overview({
    standing: { report: () => stands, absent: () => absent },
    queues: { report: () => [] },
    fleet: { missingTypes: () => [] },
    figures: new Figures([]),
    store: { countDeadLetters: async () => 0 },
    ...{ clock: systemClock, log: createLog('test', 'silent') },
  });
  return overview.report(() => false);
}

const many = Array.from({ length: 1_000 }, (_, index) => worker({ id: `python-${index}` }));

t.test('of a great many workers those come first that keep scripts apart badly', async (t) => {
  const weak = worker({ id: 'late', isolation: { level: 'none', layers: [] } });
  const { workers, workersMore } = await overviewOf([...many, weak]);
  t.equal(workers.length, partsShownMax);
  t.equal(workersMore, true);
  t.same([workers[0]?.id, workers[1]?.id], ['late', 'python-0']);
  const few = [...many.slice(0, 3), weak];
  t.same((await overviewOf(few)).workers, few, 'fewer stay as they are');
});

t.test('no more workers that are away are told than may be', async (t) => {
  const away = many.map(({ id, type }, index) => ({ id, type, absentMs: 1_000 - index }));
  const { absent } = await overviewOf([], away);
  t.equal(absent.length, partsShownMax);
  t.same(absent[0], away[0]);
});

/** Workers that say they have these layers, as the controller sees them. */
function fleetOf(ids: readonly string[], layers: readonly string[]) {
  const up = ids.map((name) => ({
    seat: { name, type: 'python' },
    inventory: { slots: 4096, pid: 2 ** 31, isolation: { level: 'none', layers } },
    link: { heardAtMs: 1.5, connectedAt: 1_700_000_000_000.5 },
  }));
  const told = {
    vitals: { pid: 2 ** 31 },
    ready: 2 ** 53,
    warmStarts: 2 ** 53,
    coldStarts: 2 ** 53,
  };
  return {
    fleet: { up: () => up as unknown as UpWorker[], missingTypes: () => [] },
    scheduler: {
      ...{ pendingCount: 0, runningCount: 0 },
      workers: { get: () => undefined, all: () => [] },
    },
    ...{ ledger: { behind: 0 }, vitals: { get: () => told }, clock: systemClock },
  };
}

t.test('a report of however many workers fits into a frame, and says so', async (t) => {
  const ids = Array.from({ length: 10_000 }, (_, index) => `${index}`.padEnd(128, '漢'));
  const layers = Array.from({ length: 64 }, (_, index) => `l${index}`.padEnd(32, 'x'));
  const report = (count: number) => {
    const options = fleetOf(ids.slice(0, count), layers) as unknown as StandingOptions;
    const told = { kind: 'report' as const, requestId: 1, ...new Standing(options).report(false) };
    return decodePayload(encodeFrame(told).subarray(prefixBytes));
  };
  t.match(report(10_000), { workers: { length: workersReportedMax }, workersMore: true });
  const few = report(300);
  t.match(few, { workers: { length: 300 } });
  t.notOk('workersMore' in few);
});

t.test('workers cannot make series by naming layers', async (t) => {
  const own = ['seccomp', ...Array.from({ length: 60 }, (_, index) => `mine-${index}`)];
  const families = familiesOf({
    ...(fleetOf(['a', 'b'], own) as unknown as StandingOptions),
    queues: [
      { type: 'python', paused: false, ready: 0, waiting: 0, running: 0, workers: 2, slots: 2 },
    ],
    draining: false,
    figures: new Figures([]),
    store: { stats: () => ({}) } as never,
    traffic: {} as never,
  });
  const { series } = families.find(({ name }) => name === 'scriptd_workers_isolation_layer') ?? {};
  t.same(series, [
    { labels: { type: 'python', layer: 'seccomp' }, value: 2 },
    { labels: { type: 'python', layer: '_other' }, value: 2 },
  ]);
  t.ok((layerNames as readonly string[]).includes('seccomp'));
});
