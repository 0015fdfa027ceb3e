import t from 'tap';
import type { Overview } from '../../src/http/controller-port.js';
import { httpLimits } from '../../src/http/limits.js';
import { warningCodes, warningsOf } from '../../src/http/warnings.js';
import { type AbsentWorker, lacksWorkerText } from '../../src/wire/reports.js';
import { overview, queue, worker } from './overview-samples.js';

function absent(changes: Partial<AbsentWorker> = {}): AbsentWorker {
  return { id: 'python-2', type: 'python', absentMs: 15_001, ...changes };
}

/** Six ends of minutes, each with more tasks ready than the one before. */
const growing = [1, 2, 3, 4, 5, 30];

const rows: [what: string, changes: Partial<Overview>, warnings: string[]][] = [
  ['all is well', {}, []],
  ['something is missing', { ready: false, missing: ['the store takes nothing'] }, ['NOT_READY']],
  [
    'everything that is missing',
    { ready: false, missing: ['one thing', 'another'] },
    ['NOT_READY', 'NOT_READY'],
  ],
  [
    'a type that should have a worker has none',
    {
      ready: false,
      missing: [lacksWorkerText('python')],
      queues: [queue({ workers: 0, slots: 0, lacksWorker: true })],
      workers: [],
    },
    ['NO_WORKER python'],
  ],
  ['its worker is not wanted', { queues: [queue({ workers: 0 })] }, []],
  ['but it has tasks', { queues: [queue({ workers: 0, waiting: 1 })] }, ['NO_WORKER python']],
  [
    'the service drains',
    { ready: false, draining: true, missing: ['the controller is draining'] },
    ['DRAINING'],
  ],
  ['a worker restarts', { absent: [absent({ absentMs: 15_000 })] }, []],
  ['a worker is away', { absent: [absent()] }, ['WORKER_SILENT python python-2']],
  [
    'the only worker of a type is away',
    { queues: [queue({ workers: 0, lacksWorker: true })], absent: [absent()] },
    ['NO_WORKER python'],
  ],
  [
    'a queue grows',
    { queues: [queue({ ready: 21, readyPerMinute: growing })] },
    ['QUEUE_GROWS python'],
  ],
  ['a queue grows and is short', { queues: [queue({ ready: 20, readyPerMinute: growing })] }, []],
  [
    'a queue is long and grows no more',
    { queues: [queue({ ready: 500, readyPerMinute: [1, 2, 3, 4, 30, 30] })] },
    [],
  ],
  [
    'a queue is long and has no past',
    { queues: [queue({ ready: 500, readyPerMinute: growing.slice(1) })] },
    [],
  ],
  [
    'a queue grows since it is paused',
    { queues: [queue({ paused: true, ready: 500, readyPerMinute: growing })] },
    ['PAUSED python'],
  ],
  ['a type is paused and has nothing', { queues: [queue({ paused: true, waiting: 5 })] }, []],
  ['there is a dead letter', { deadLetters: 1 }, ['DEAD_LETTERS']],
  ['nobody knows of dead letters', { deadLetters: undefined as never }, []],
  [
    'scripts are not shut in',
    {
      workers: ['none', 'none', 'basic', 'strict'].map((level, index) =>
        worker({ id: `w${index}`, isolation: { level: level as 'none', layers: [] } }),
      ),
    },
    ['WEAK_ISOLATION python', 'WEAK_ISOLATION python'],
  ],
];

for (const [what, changes, expected] of rows) {
  t.test(`${what}: ${expected.join(', ') || 'no warning'}`, async (t) => {
    const warnings = warningsOf(overview(changes));
    t.same(
      warnings.map(({ code, type, worker }) => [code, type, worker].filter(Boolean).join(' ')),
      expected,
    );
    for (const { text } of warnings) {
      t.match(text, /^[A-Z0-9`].*[^.].*\.$/, 'a sentence');
      t.match(text, /[:;] |its log|look at/, 'with a cure');
    }
  });
}

t.test('the most serious come first, and a great many are cut', async (t) => {
  const all = overview({
    ...{ ready: false, draining: true, missing: ['a disk'], deadLetters: 1_000 },
    ...{ deadLettersMore: true },
    queues: [
      queue({ type: 'bash', paused: true, ready: 1 }),
      queue({ ready: 100, readyPerMinute: growing }),
      queue({ type: 'node', workers: 0, ready: 1 }),
    ],
    workers: [worker({ isolation: { level: 'basic', layers: [] } }), worker({ id: 'python-2' })],
    absent: [absent({ id: 'python-3' })],
  });
  const warnings = warningsOf(all);
  t.same(
    warnings.map(({ code }) => code),
    warningCodes,
  );
  t.match(warnings.at(-2)?.text, /^More than 1000 tasks were given up/);
  const away = Array.from({ length: 200 }, (_, index) => absent({ id: `w${index}` }));
  const many = warningsOf({ ...all, absent: away });
  t.equal(many.length, httpLimits.warningsMax);
  t.equal(many[0]?.code, 'NOT_READY');
});
