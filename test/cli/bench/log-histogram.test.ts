import t from 'tap';
import { bucketOf, endMs, LogHistogram } from '../../../src/cli/bench/log-histogram.js';
import { rowsOf } from '../../../src/cli/bench/rows.js';

/** A generator with a seed: a failure comes again. Source: Numerical Recipes, "Quick and dirty" */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

t.test('quantiles are those of all values, to 1 %, over every size', async (t) => {
  const random = randomFrom(7);
  for (const scaleMs of [0.01, 1, 50, 9_000]) {
    const histogram = new LogHistogram();
    const values = Array.from({ length: 5_000 }, () => scaleMs * Math.exp(3 * random()));
    for (const value of values) histogram.observe(value);
    values.sort((a, b) => a - b);
    for (const share of [0.001, 0.25, 0.5, 0.9, 0.99, 0.999]) {
      const exact = values[Math.ceil(share * values.length) - 1] ?? 0;
      const error = Math.abs(histogram.quantileMs(share) / exact - 1);
      t.ok(error <= 0.01, `${share} of ${scaleMs}: off by ${error}`);
    }
    t.equal(histogram.quantileMs(1), values.at(-1));
    t.equal(histogram.minMs, values[0]);
    t.equal(histogram.maxMs, values.at(-1));
  }
});

t.test('nothing, one value, and values beyond its ends', async (t) => {
  const histogram = new LogHistogram();
  t.match(histogram, { count: 0, minMs: 0, maxMs: 0, meanMs: 0 });
  t.equal(histogram.quantileMs(0.5), 0);
  t.same(rowsOf(histogram, 12), []);
  histogram.observe(5);
  for (const share of [0, 0.5, 0.999, 1]) t.equal(histogram.quantileMs(share), 5);
  histogram.observe(-1);
  histogram.observe(1e12);
  t.match(histogram, { count: 3, minMs: 0, maxMs: 1e12 });
  t.equal([...histogram.buckets()].length, 3);
});

t.test('a value lies in its bucket', async (t) => {
  for (let ms = 0.0011; ms < 1e7; ms *= 1.07) {
    const bucket = bucketOf(ms);
    t.ok(ms <= endMs(bucket) * (1 + 1e-9) && ms >= endMs(bucket - 1) * (1 - 1e-9), `${ms}`);
  }
});

t.test('rows ascend, hold everything, and are few, whatever there is', async (t) => {
  const random = randomFrom(11);
  for (let round = 0; round < 300; round++) {
    const histogram = new LogHistogram();
    const spread = random() * 16;
    const count = 1 + Math.floor(random() * 400);
    for (let made = 0; made < count; made++) histogram.observe(1e-2 * Math.exp(spread * random()));
    const rows = rowsOf(histogram, 12);
    t.ok(rows.length <= 13, `${rows.length} rows`);
    t.equal(
      rows.reduce((sum, row) => sum + row.count, 0),
      count,
    );
    t.ok((rows[0]?.count ?? 0) > 0, 'the first is not empty');
    for (const [at, { toMs = Number.POSITIVE_INFINITY }] of rows.entries())
      t.ok(at === 0 || toMs > (rows[at - 1]?.toMs ?? 0));
  }
});

t.test('few that take much longer do not hide how the others differ', async (t) => {
  const histogram = new LogHistogram();
  for (let at = 0; at < 1_000; at++) histogram.observe(10 + at / 200);
  histogram.observe(60_000);
  const rows = rowsOf(histogram, 12);
  t.ok(rows.length >= 6, `${rows.length} rows`);
  t.same(rows.at(-1), { count: 1 });
});
