import t from 'tap';
import { v7 as uuidv7 } from 'uuid';
import { Flights } from '../../src/controller/flights.js';
import { FreshTasks } from '../../src/controller/fresh-tasks.js';
import { controllerLimits } from '../../src/controller/limits.js';
import { submission } from '../store/fixtures.js';

const { freshBytesMax, freshTasksMax } = controllerLimits;

t.test('the newest tasks are kept in memory until they are taken', async (t) => {
  const fresh = new FreshTasks();
  const [first, second] = [submission(), submission()];
  fresh.add(first, freshBytesMax);
  t.equal(fresh.take(first.view.id), first);
  t.equal(fresh.take(first.view.id), undefined, 'once');
  fresh.add(first, freshBytesMax);
  fresh.add(second, 1);
  t.equal(fresh.take(first.view.id), undefined, 'too many bytes: the oldest went');
  t.equal(fresh.take(second.view.id), second);
  fresh.add(first, 0);
  for (let count = 0; count < freshTasksMax; count++) fresh.add(submission(), 0);
  t.equal(fresh.take(first.view.id), undefined, 'too many tasks: the oldest went');
});

t.test('a flight gives back what it held; its row is used again', async (t) => {
  const flights = new Flights();
  const ids = Array.from({ length: 200 }, () => uuidv7());
  for (const [index, id] of ids.entries()) {
    flights.add(id, { bytes: index, group: index % 3 === 0 ? 'a' : undefined }, index);
  }
  t.same([...flights.ids()], ids);
  t.same(flights.remove(ids[3] ?? ''), { bytes: 3, group: 'a' });
  t.same(flights.remove(ids[4] ?? ''), { bytes: 4, group: undefined });
  t.notOk(flights.has(ids[3] ?? ''));
  t.equal(flights.size, 198);
  const next = uuidv7();
  flights.add(next, { bytes: 7, group: undefined }, 5);
  t.match(flights.begin(next, 1, { name: 'w', type: 'x' }, 9, 1_000), {
    queuedMs: 4,
    record: { attempt: 1, worker: 'w', startedAt: 1_000 },
  });
  t.equal(flights.typeOf(next), 'x');
  t.same(flights.remove(next), { bytes: 7, group: undefined }, 'not the group of the row before');
  t.throws(() => flights.remove(next), /not in flight/);
});
