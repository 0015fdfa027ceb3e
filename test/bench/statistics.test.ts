import t from 'tap';
import { median, quantile, spreadOf } from '../../bench/statistics.js';

t.test('the median is the value in the middle, or between the two there', async (t) => {
  t.equal(median([9, 1, 5]), 5);
  t.equal(median([4, 1, 3, 2]), 2.5);
  t.equal(median([7]), 7);
  t.same(median([]), Number.NaN);
});

t.test('a quantile lies between its neighbours, and the values stay as they were', async (t) => {
  const values = [50, 10, 40, 20, 30];
  t.equal(quantile(values, 0), 10);
  t.equal(quantile(values, 0.25), 20);
  t.equal(quantile(values, 0.9), 46);
  t.equal(quantile(values, 1), 50);
  t.same(values, [50, 10, 40, 20, 30]);
});

t.test('the spread is told by the extremes, and by the quartiles against the median', async (t) => {
  t.same(spreadOf([10, 20, 30, 40, 1_000]), { min: 10, max: 1_000, relativeIqr: 20 / 30 });
  t.same(spreadOf([5, 5, 5]), { min: 5, max: 5, relativeIqr: 0 });
});
