import t from 'tap';
import { Figures, otherType } from '../../src/controller/figures.js';
import { WorkerVitals } from '../../src/controller/worker-vitals.js';
import { histogram } from '../../src/figures.js';
import type { Vitals } from '../../src/vitals.js';
import { decodePayload, encodeFrame } from '../../src/wire/codec.js';
import { prefixBytes } from '../../src/wire/frame.js';
import { finished } from '../http/fake-controller.js';

const timeline = { queuedMs: 1, dispatchMs: 1, startMs: 1, runMs: 200, drainMs: 0, checkMs: 0 };

t.test(
  'what ends is counted by outcome and code, and types that nobody configured are one',
  async (t) => {
    const figures = new Figures(['python']);
    figures.finished(finished({ timeline }));
    figures.finished(finished({ outcome: 'runtime_error', code: 'EXCEPTION', timeline }));
    for (const type of ['gone', 'gone-too', '__proto__']) {
      figures.finished(
        finished({ type, outcome: 'network_fail', code: 'WORKER_LOST', deadLetter: true }),
      );
      figures.dispatched(type, 1);
    }
    t.same([...figures.types.keys()], ['python', otherType]);
    t.same(
      [...figures.of('python').finished.entries()],
      [
        { outcome: 'success', code: '', count: 1 },
        { outcome: 'runtime_error', code: 'EXCEPTION', count: 1 },
      ],
    );
    t.equal(figures.of('python').running.sum, 0.4);
    const other = figures.of('gone');
    t.same(
      [...other.finished.entries()],
      [{ outcome: 'network_fail', code: 'WORKER_LOST', count: 3 }],
    );
    t.equal(other.deadLetters, 3);
    t.equal(other.running.sum, 0, 'without a worker that measured, nothing is said of it');
  },
);

t.test('counts of a worker go on over its restarts, and are not counted twice', async (t) => {
  const figures = new Figures(['python']);
  const vitals = new WorkerVitals(figures);
  const tell = (pid: number, warmStarts: number, coldStarts: number) =>
    vitals.take('python-1', 'python', {
      ...{ ready: 1, warmStarts, coldStarts },
      vitals: { pid } as Vitals,
    });
  const counted = () => {
    const { warmStarts, coldStarts } = figures.of('python');
    return [warmStarts, coldStarts];
  };
  tell(1, 5, 1);
  tell(1, 7, 1);
  t.same(counted(), [7, 1]);
  tell(2, 2, 1);
  t.same(counted(), [9, 2], 'another process begins at 0');
  tell(2, 2, 1);
  t.same(counted(), [9, 2]);
  t.equal(vitals.get('python-1')?.vitals.pid, 2);
  t.equal(vitals.get('python-2'), undefined);
});

t.test('whatever workers say they measured, the figures can be told', async (t) => {
  const figures = new Figures(['python']);
  for (let round = 0; round < 3; round++) {
    figures.finished(finished({ timeline: { ...timeline, runMs: Number.MAX_VALUE } }));
    for (let other = 0; other < 2_000; other++) figures.dispatched('python', Number.MAX_VALUE);
  }
  const { running, waiting } = figures.of('python');
  const families = [running, waiting].map((of, index) =>
    histogram(`x_${index}`, 'of x', [[{ type: 'python' }, of]]),
  );
  const frame = encodeFrame({ kind: 'figures', requestId: 1, families, parts: [] });
  t.match(decodePayload(frame.subarray(prefixBytes)), { kind: 'figures' });
});
