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
  for (let n = 1; n <= 2; n++) queue.add(owed('b', n));
  t.ok(queue.add(owed('c', 1)));
  t.notOk(queue.add(owed('b', 3)), 'of all');
  t.equal(queue.size, 6);
  const short: boolean[] = [];
  for (let n = 1; n <= 6; n++) {
    const one = queue.begin();
    if (one) short.push(queue.end(one));
  }
  t.equal(short.filter(Boolean).length, 2, 'once for each, when nothing of it waits any more');
  t.equal(queue.size, 0);
  t.equal(queue.begin(), undefined);
  t.end();
});

t.test('when many that do not answer fill it, another is taken at once', (t) => {
  const queue = new OwedDeliveries(limits);
  for (let n = 1; n <= 3; n++) for (const dead of ['x', 'y']) queue.add(owed(dead, n));
  t.ok(queue.add(owed('good', 1)));
  t.equal(queue.size, 6);
  t.notOk(queue.has('x3') && queue.has('y3'), 'the newest of a longest one has made room');
  t.ok(queue.add(owed('good', 2)));
  t.notOk(queue.has('x3') || queue.has('y3'));
  t.notOk(queue.add(owed('good', 3)), 'no more than the others have');
  const taken = [queue.begin(), queue.begin(), queue.begin()].map((one) => one?.taskId);
  t.same(taken, ['x1', 'y1', 'good1']);
  t.end();
});

t.test('as many receivers as there is room for: none takes the place of another', (t) => {
  const queue = new OwedDeliveries(limits);
  for (const origin of ['a', 'b', 'c', 'd', 'e', 'f']) t.ok(queue.add(owed(origin, 1)));
  t.notOk(queue.add(owed('g', 1)));
  t.equal(queue.begin()?.taskId, 'a1');
  queue.end(owed('a', 1));
  t.ok(queue.add(owed('g', 1)));
  t.end();
});

t.test(
  'nothing is lost: what has made room is brought again, in the order of its receiver',
  (t) => {
    const queue = new OwedDeliveries(limits);
    const names = ['a', 'b', 'c', 'd'];
    const stored = names.flatMap((name) => Array.from({ length: 9 }, (_, n) => owed(name, n + 1)));
    const left = new Set(stored);
    const told: string[] = [];
    // At the beginning, and whenever the queue asks for it, all that the store has is brought.
    for (let isAsked = true; isAsked; ) {
      isAsked = false;
      for (const one of left) queue.add(one);
      for (let one = queue.begin(); one; one = queue.begin()) {
        told.push(one.taskId);
        left.delete(one);
        if (queue.end(one)) isAsked = true;
      }
    }
    t.equal(told.length, stored.length);
    for (const name of names) {
      const its = stored.filter(({ origin }) => origin === name).map(({ taskId }) => taskId);
      t.same(
        told.filter((taskId) => taskId.startsWith(name)),
        its,
      );
    }
    t.end();
  },
);
