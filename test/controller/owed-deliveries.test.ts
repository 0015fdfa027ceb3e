import t from 'tap';
import { OwedDeliveries } from '../../src/controller/owed-deliveries.js';

const limits = { waitingMax: 6, waitingPerOriginMax: 3, flyingMax: 3, flyingPerOriginMax: 2 };
const owed = (origin: string, n: number) => ({ origin, taskId: `${origin}${n}`, dueAt: 0 });

t.test('receivers take turns, and one that does not answer holds up only itself', (t) => {
  const queue = new OwedDeliveries(limits);
  for (let n = 1; n <= 3; n++) t.ok(queue.add(owed('dead', n)));
  t.ok(queue.add(owed('dead', 1)), 'what is known is not taken twice');
  t.ok(queue.add(owed('b', 1)));
  const taken = [queue.begin(), queue.begin(), queue.begin()].map((one) => one?.taskId);
  t.same(taken, ['dead1', 'b1', 'dead2']);
  t.equal(queue.begin(), undefined, 'as many as there may be');
  queue.end(owed('b', 1));
  t.equal(queue.begin(), undefined, 'the dead one has its share');
  t.ok(queue.add(owed('b', 2)));
  t.equal(queue.begin()?.taskId, 'b2');
  t.ok(queue.has('dead1'));
  queue.end(owed('dead', 1));
  t.notOk(queue.has('dead1'));
  t.equal(queue.begin()?.taskId, 'dead3');
  t.end();
});

t.test('what finds no room is asked for when there is some', (t) => {
  const queue = new OwedDeliveries(limits);
  for (let n = 1; n <= 3; n++) queue.add(owed('a', n));
  t.notOk(queue.add(owed('a', 4)), 'of one receiver');
  for (let n = 1; n <= 3; n++) queue.add(owed('b', n));
  t.notOk(queue.add(owed('c', 1)), 'of all');
  t.equal(queue.size, 6);
  const short: boolean[] = [];
  for (let n = 1; n <= 6; n++) {
    const one = queue.begin();
    if (one) short.push(queue.end(one));
  }
  t.equal(short.filter(Boolean).length, 1, 'once, when nothing of it waits any more');
  t.equal(queue.size, 0);
  t.equal(queue.begin(), undefined);
  t.end();
});
