import t from 'tap';
import { type Turn, Turns } from '../../../src/cli/bench/turns.js';

function all(turns: Turns, nowMs: number): Turn[] {
  const taken: Turn[] = [];
  for (let turn = turns.take(nowMs); turn; turn = turns.take(nowMs)) taken.push(turn);
  return taken;
}

t.test('so many tasks, in requests of a size, the last one smaller', async (t) => {
  const turns = new Turns({ tasks: 25, perRequest: 10 }, 0);
  t.same(
    all(turns, 3).map(({ tasks }) => tasks),
    [10, 10, 5],
  );
  t.equal(turns.take(4), undefined);
});

t.test('without a rate each is due at once, until the time is up', async (t) => {
  const turns = new Turns({ forMs: 1_000, perRequest: 1 }, 500);
  t.same(turns.take(700), { tasks: 1 });
  t.same(turns.take(1_499), { tasks: 1 });
  t.equal(turns.take(1_500), undefined);
});

t.test('at a rate they are due as it says, however late they are taken', async (t) => {
  const turns = new Turns({ tasks: 4, perRequest: 1, perSecond: 50 }, 100);
  t.same(
    all(turns, 90_000).map(({ dueMs }) => dueMs),
    [100, 120, 140, 160],
  );
  const batches = new Turns({ forMs: 1_000, perRequest: 20, perSecond: 100 }, 0);
  t.same(
    all(batches, 0).map(({ dueMs }) => dueMs),
    [0, 200, 400, 600, 800],
    'and none after the end',
  );
});

t.test('what is reached first ends it', async (t) => {
  t.equal(all(new Turns({ tasks: 3, forMs: 1_000, perRequest: 1 }, 0), 10).length, 3);
  t.equal(all(new Turns({ tasks: 3, forMs: 1_000, perRequest: 1 }, 0), 1_000).length, 0);
});
