import t from 'tap';
import { deviation, median, middleMean, noiseOf } from '../../../bench/guard/statistics.js';

t.test('the median is the middle one, or the mean of the middle two', async (t) => {
  t.equal(median([9, 1, 5]), 5);
  t.equal(median([9, 1, 5, 7]), 6);
});

t.test('the mean of the middle half is not moved by a few that are far off', async (t) => {
  t.equal(middleMean([7, 7, 7, 7, 7, 7, 90, 0]), 7);
  t.equal(middleMean([1, 2, 3, 4]), 2.5);
});

t.test('the standard deviation is that of the population', async (t) => {
  t.equal(deviation([2, 4, 4, 4, 5, 5, 7, 9]), Math.sqrt(32 / 7));
  t.equal(deviation([3, 3, 3]), 0);
});

t.test('noise is three standard deviations, or the farthest sample', async (t) => {
  t.equal(noiseOf([1, 2, 3]), 3);
  const oneFarOff = [...Array.from({ length: 20 }, () => 100), 110];
  t.equal(noiseOf(oneFarOff), 10);
});
