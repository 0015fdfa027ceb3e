import t from 'tap';
import { Histogram } from '../src/histogram.js';

t.test(
  'what is observed is counted in the bucket that it fits into, its end included',
  async (t) => {
    const histogram = new Histogram([1, 5, 10]);
    for (const value of [0, 1, 1.1, 5, 9, 11, Number.MAX_VALUE]) histogram.observe(value);
    t.same([...histogram.counts], [2, 2, 1, 2]);
    t.equal(histogram.sum, 0 + 1 + 1.1 + 5 + 9 + 11 + Number.MAX_VALUE);
  },
);

t.test('bounds that do not ascend are our mistake', async (t) => {
  t.throws(() => new Histogram([1, 1]), /ascend/);
});
