import t from 'tap';
import { attemptKey, type Waiting, WaitingQueue } from '../../src/worker/queue.js';
import { defaultLimits } from './test-controller.js';

const waiting = (taskId: string, attempt = 1): Waiting => ({
  task: { kind: 'execute', taskId, attempt, code: '', limits: defaultLimits },
  receivedAtMs: 0,
});

t.test('first in, first out', async (t) => {
  const queue = new WaitingQueue(3);
  for (const id of ['a', 'b', 'c']) queue.push(waiting(id));
  t.strictSame(
    [...queue].map(({ task }) => task.taskId),
    ['a', 'b', 'c'],
  );
  t.strictSame(
    [1, 2, 3, 4].map(() => queue.shift()?.task.taskId),
    ['a', 'b', 'c', undefined],
  );
});

t.test('what comes when it is full is refused and changes nothing', async (t) => {
  const queue = new WaitingQueue(1);
  t.equal(queue.push(waiting('a')), true);
  t.equal(queue.push(waiting('b')), false);
  t.equal(queue.size, 1);
  t.equal(queue.has(attemptKey({ taskId: 'b', attempt: 1 })), false);
});

t.test('one can be taken out of its turn, once', async (t) => {
  const queue = new WaitingQueue(3);
  for (const id of ['a', 'b', 'c']) queue.push(waiting(id));
  t.equal(queue.take(attemptKey({ taskId: 'b', attempt: 1 }))?.task.taskId, 'b');
  t.equal(queue.take(attemptKey({ taskId: 'b', attempt: 1 })), undefined);
  t.strictSame([queue.shift()?.task.taskId, queue.shift()?.task.taskId], ['a', 'c']);
});

t.test('two attempts of one task are two', async (t) => {
  const queue = new WaitingQueue(3);
  queue.push(waiting('a', 1));
  queue.push(waiting('a', 2));
  t.equal(queue.size, 2);
  t.equal(queue.take(attemptKey({ taskId: 'a', attempt: 2 }))?.task.attempt, 2);
});
