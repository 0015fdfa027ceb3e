import t from 'tap';
import { Figures } from '../../src/controller/figures.js';
import { History, type TypeReading } from '../../src/controller/history.js';
import { typeReadings } from '../../src/controller/type-readings.js';
import { decodePayload, encodeFrame } from '../../src/wire/codec.js';
import { prefixBytes } from '../../src/wire/frame.js';
import { historySamplesMax, historyTypesMax } from '../../src/wire/reports.js';
import { finished } from '../http/fake-controller.js';

const stepMs = 10_000;
const wallMs = 1_700_000_000_000;

function reading(changes: Partial<TypeReading> = {}): TypeReading {
  return {
    ...{ type: 'python', ready: 0, waiting: 0, running: 0, slots: 2 },
    ...{ submitted: 0, finished: new Map(), dispatched: 0, queuedMs: 0, queuedMsMax: 0 },
    ...changes,
  };
}

t.test('a step is over after its time, and one that was overslept is one', async (t) => {
  const history = new History(500);
  t.notOk(history.isDue(10_499));
  t.ok(history.isDue(10_500));
  history.take([reading()], 10_700, wallMs);
  t.notOk(history.isDue(20_499), 'the steps do not drift');
  t.ok(history.isDue(20_500));
  history.take([reading()], 63_000, wallMs + 52_300);
  t.notOk(history.isDue(70_499));
  t.ok(history.isDue(70_500));
  t.same(
    history.report().samples.map(({ at }) => at),
    [wallMs, wallMs + 52_300],
  );
});

t.test('a sample has what has come since the one before', async (t) => {
  const history = new History(0);
  t.same(history.newest(), {});
  const first = reading({
    ...{ ready: 3, waiting: 1, running: 2, submitted: 10, dispatched: 4, queuedMs: 100 },
    ...{ finished: new Map([['success', 5] as const]), queuedMsMax: 60.128 },
  });
  history.take([first], stepMs, wallMs);
  const second = reading({
    ...{ submitted: 12, dispatched: 6, queuedMs: 107, queuedMsMax: 5 },
    finished: new Map([
      ['success', 5],
      ['runtime_error', 2],
    ] as const),
  });
  history.take([second], 2 * stepMs, wallMs + stepMs);
  history.take([second], 3 * stepMs, wallMs + 2 * stepMs);
  const now = { type: 'python', ready: 0, waiting: 0, running: 0, slots: 2 };
  t.same(history.report(), {
    stepMs,
    samples: [
      {
        at: wallMs,
        types: [
          {
            ...{ type: 'python', ready: 3, waiting: 1, running: 2, slots: 2, submitted: 10 },
            ...{ finished: { success: 5 }, queuedMsMax: 60.13, queuedMsMean: 25 },
          },
        ],
      },
      {
        at: wallMs + stepMs,
        types: [
          {
            ...{ ...now, submitted: 2, finished: { runtime_error: 2 } },
            ...{ queuedMsMax: 5, queuedMsMean: 3.5 },
          },
        ],
      },
      {
        at: wallMs + 2 * stepMs,
        types: [{ ...now, submitted: 0, finished: {}, queuedMsMax: 0, queuedMsMean: 0 }],
      },
    ],
  });
  t.match(history.newest(), {
    newest: { at: wallMs + 2 * stepMs },
    newestAfter: wallMs + stepMs,
  });
});

t.test('it holds an hour and so many types, and all of it fits into a frame', async (t) => {
  const history = new History(0);
  const outcomes = new Map([
    ['success', Number.MAX_SAFE_INTEGER],
    ['runtime_error', Number.MAX_SAFE_INTEGER],
  ] as const);
  const readings = Array.from({ length: historyTypesMax + 5 }, (_, index) =>
    reading({ type: `t${index}`, finished: outcomes, queuedMsMax: 1e15 / 3, dispatched: 1 }),
  );
  for (let step = 1; step <= historySamplesMax + 10; step++) {
    history.take(readings, step * stepMs, wallMs + step);
  }
  const { samples } = history.report();
  t.equal(samples.length, historySamplesMax);
  t.equal(samples[0]?.at, wallMs + 11, 'the oldest have gone');
  t.equal(samples[0]?.types.length, historyTypesMax);
  const frame = encodeFrame({ kind: 'samples', requestId: 1, stepMs, samples });
  t.match(decodePayload(frame.subarray(prefixBytes)), { kind: 'samples' });
});

t.test('minutes are told from the newest back, as far as there are any', async (t) => {
  const history = new History(0);
  t.same(history.readyPerMinute('python'), []);
  for (let step = 1; step <= 40; step++) {
    history.take([reading({ ready: step })], step * stepMs, wallMs + step * stepMs);
    if (step === 7) t.same(history.readyPerMinute('python'), [1, 7]);
  }
  t.same(history.readyPerMinute('python'), [10, 16, 22, 28, 34, 40]);
  t.same(history.readyPerMinute('bash'), []);
  history.take([reading({ type: 'bash', ready: 1 })], 41 * stepMs, wallMs);
  t.same(history.readyPerMinute('bash'), [1], 'a type that is new has no past');
});

t.test(
  'what is read are the counts of each type, and the longest wait anew each time',
  async (t) => {
    const figures = new Figures(['python']);
    figures.submitted('python');
    figures.submitted('python');
    figures.finished(finished());
    figures.finished(finished({ outcome: 'runtime_error', code: 'EXCEPTION' }));
    figures.finished(finished({ outcome: 'runtime_error', code: 'EXIT_NONZERO' }));
    for (const waitMs of [5, 2_000, 100_000_000]) figures.dispatched('python', waitMs);
    const counts = { ready: 1, waiting: 2, running: 3, slots: 4 };
    const queues = [{ type: 'python', paused: false, ...counts, workers: 1 }];
    const [first] = typeReadings(queues, figures);
    t.match(first, {
      ...{ type: 'python', ...counts, submitted: 2, dispatched: 3, queuedMsMax: 100_000_000 },
      finished: new Map([
        ['success', 1],
        ['runtime_error', 2],
      ]),
    });
    t.equal(Math.round(first?.queuedMs ?? 0), 100_002_005);
    t.match(typeReadings(queues, figures), [{ submitted: 2, dispatched: 3, queuedMsMax: 0 }]);
  },
);
