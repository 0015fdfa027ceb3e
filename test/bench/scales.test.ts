import fc from 'fast-check';
import t from 'tap';
import { show } from '../../bench/plot/quantity.js';
import {
  linearScale,
  logScale,
  logTicks,
  roundAbove,
  wholeDecades,
} from '../../bench/plot/scales.js';

const positive = fc.double({ min: 1e-6, max: 1e12, noNaN: true });

t.test('each factor of ten is as long as every other', async (t) => {
  const { at, ticks } = logScale({ least: 1, most: 1_000, from: 0, to: 300 });
  t.same([1, 10, 100, 1_000].map(at).map(Math.round), [0, 100, 200, 300]);
  t.same(ticks, [1, 10, 100, 1_000]);
});

t.test('an axis may run upwards, as the y axis of a picture does', async (t) => {
  const { at } = logScale({ least: 1, most: 100, from: 200, to: 0 });
  t.same([1, 10, 100].map(at).map(Math.round), [200, 100, 0]);
});

t.test('zero has a place before everything else, where it is asked for', async (t) => {
  const { at, ticks } = logScale({ least: 10, most: 1_000, from: 50, to: 250, zero: true });
  t.equal(at(0), 50);
  t.ok(at(10) > at(0), 'the smallest value does not stand on zero');
  t.equal(Math.round(at(1_000)), 250);
  t.same(ticks, [0, 10, 100, 1_000]);
});

t.test('a single value has a place that is a number', async (t) => {
  t.equal(logScale({ least: 5, most: 5, from: 10, to: 20 }).at(5), 10);
});

t.test('what a logarithm has no place for is refused', async (t) => {
  for (const [least, most] of [
    [0, 1],
    [-1, 1],
    [2, 1],
    [1, Infinity],
    [Number.NaN, 1],
  ] as const) {
    t.throws(() => logScale({ least, most, from: 0, to: 1 }), RangeError, `${least} to ${most}`);
  }
  t.throws(() => wholeDecades([0, 0]), RangeError, 'only zeros');
});

t.test('larger values stand farther along, and none of the ends is left', async (t) => {
  const grows = fc.property(positive, positive, positive, (a, b, c) => {
    const [least = a, between = b, most = c] = [a, b, c].sort((x, y) => x - y);
    const { at } = logScale({ least, most, from: 0, to: 100 });
    return at(least) >= -1e-9 && at(between) <= at(most) && at(between) >= at(least);
  });
  t.doesNotThrow(() => fc.assert(grows));
});

t.test('ticks are ascending, within the ends, and never none for two decades', async (t) => {
  fc.assert(
    fc.property(positive, fc.double({ min: 1, max: 1e6, noNaN: true }), (least, factor) => {
      const most = least * factor;
      const ticks = logTicks(least, most);
      const ascending = ticks.every((tick, index) => tick > (ticks[index - 1] ?? 0));
      const within = ticks.every((tick) => tick >= least * 0.999 && tick <= most * 1.001);
      return ascending && within && (factor < 100 || ticks.length >= 2);
    }),
  );
  t.same(logTicks(1, 10), [1, 2, 5, 10], 'a short axis has more of them');
});

t.test(
  'the ends of an axis are powers of ten around all values, two decades at least',
  async (t) => {
    t.same(wholeDecades([2, 3]), { least: 1, most: 100 });
    t.same(wholeDecades([1, 1_000]), { least: 1, most: 1_000 });
    t.same(wholeDecades([0, 0.5, 20_000]), { least: 0.1, most: 100_000 });
  },
);

t.test('a linear axis begins at zero and ends at a round number above all', async (t) => {
  const { at, ticks } = linearScale({ most: 8, from: 100, to: 0 });
  t.same(ticks, [0, 2, 4, 6, 8]);
  t.equal(at(2), 75);
  t.equal(roundAbove(20), 25);
  t.equal(roundAbove(0), 4, 'of nothing too');
  fc.assert(fc.property(positive, (most) => roundAbove(most) > most));
});

t.test('figures are written with their unit', async (t) => {
  t.equal(show(1_000_000, 'count'), '1,000,000');
  t.equal(show(0, 'bytes'), '0 B');
  t.equal(show(999, 'bytes'), '999 B');
  t.equal(show(1_000, 'bytes'), '1 kB');
  t.equal(show(1e7, 'bytes'), '10 MB');
  t.equal(show(5e15, 'bytes'), '5,000 TB');
  t.equal(show(0.2468, 'ms'), '0.247 ms');
  t.equal(show(1_500, 'ms'), '1.5 s');
  t.equal(show(7_692.6, 'perSecond'), '7,693/s');
});
