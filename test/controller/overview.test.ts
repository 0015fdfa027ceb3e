import t from 'tap';
import { systemClock } from '../../src/clock.js';
import { Figures } from '../../src/controller/figures.js';
import { Overview } from '../../src/controller/overview.js';
import { createLog } from '../../src/log.js';
import { type AbsentWorker, partsShownMax, type WorkerReport } from '../../src/wire/reports.js';
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
