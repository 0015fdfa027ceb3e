import t from 'tap';
import { mutations } from './mutations.js';
import { simulate } from './simulation.js';
import { Violation } from './violation.js';

/** What `npm test` runs; `npm run simulate` goes on. */
const seeds = 240;
/** Each mutation must be found within so many. */
const seedsToFind = 240;

t.test('every promise holds in every seed', async (t) => {
  const outcomes = new Set<string>();
  for (let seed = 1; seed <= seeds; seed++) {
    for (const outcome of Object.keys(simulate(seed).outcomes)) outcomes.add(outcome);
  }
  const all = ['cancelled', 'expired', 'internal_fail', 'network_fail', 'runtime_error', 'success'];
  t.same([...outcomes].sort(), all, 'every outcome came up');
});

t.test('a seed decides all of its run', async (t) => {
  for (const seed of [2, 3, 7]) t.same(simulate(seed), simulate(seed));
});

/** The first seed that finds it, and what it says. */
function find(): { seed: number; message: string } | undefined {
  for (let seed = 1; seed <= seedsToFind; seed++) {
    try {
      simulate(seed);
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      return { seed, message: error.message };
    }
  }
  return undefined;
}

for (const { name, make } of mutations) {
  t.test(`mutation: ${name}`, async (t) => {
    const undo = make();
    const found = find();
    undo();
    t.ok(found, found ? `found by seed ${found.seed}: ${found.message}` : 'never found');
    t.match(found?.message, new RegExp(`seed ${found?.seed}`), 'the failing seed is named');
  });
}

t.test('a failing seed fails in the same way again', async (t) => {
  const undo = mutations[0]?.make();
  const [first, second] = [find(), find()];
  undo?.();
  t.same(first, second);
});
