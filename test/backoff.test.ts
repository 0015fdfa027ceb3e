import t from 'tap';
import { retryDelayMs } from '../src/backoff.js';

t.test('waits double up to their cap, and jitter covers all of each', async (t) => {
  const policy = { baseMs: 200, capMs: 1_000 };
  const bounds = [1, 2, 3, 4, 50].map((attempt) => retryDelayMs(policy, attempt, () => 1));
  t.same(bounds, [200, 400, 800, 1_000, 1_000]);
  t.equal(
    retryDelayMs(policy, 4, () => 0),
    0,
  );
  t.equal(
    retryDelayMs(policy, 1, () => 0.25),
    50,
  );
});
