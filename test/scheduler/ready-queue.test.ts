import fc from 'fast-check';
import t from 'tap';
import { priorityStepMs } from '../../src/scheduler/evaluator.js';
import { ReadyQueue } from '../../src/scheduler/ready-queue.js';

t.test('tasks come out by score, whatever was taken out of turn before', async (t) => {
  const tasks = fc.array(
    fc.record({
      priority: fc.integer({ min: -3, max: 3 }),
      createdAt: fc.integer({ min: 0, max: 5 * priorityStepMs }),
      removed: fc.boolean(),
    }),
    { maxLength: 200 },
  );
  fc.assert(
    fc.property(tasks, (drawn) => {
      const queue = new ReadyQueue();
      const all = drawn.map((task, sequence) => ({ ...task, sequence, id: `${sequence}` }));
      for (const task of all) queue.add(task);
      for (const task of all) if (task.removed) t.equal(queue.remove(task.id), true);
      const kept = all.filter(({ removed }) => !removed);
      const key = (task: (typeof all)[number]) => task.createdAt - task.priority * priorityStepMs;
      kept.sort((a, b) => key(a) - key(b) || a.sequence - b.sequence);
      const taken = kept.map(() => queue.take()?.id);
      return (
        taken.join() === kept.map(({ id }) => id).join() &&
        queue.size === 0 &&
        queue.take() === undefined
      );
    }),
  );
});

t.test('a task that was removed is not removed twice', async (t) => {
  const queue = new ReadyQueue();
  queue.add({ id: 'a', priority: 0, createdAt: 0, sequence: 0 });
  t.equal(queue.remove('a'), true);
  t.equal(queue.remove('a'), false);
  t.equal(queue.remove('b'), false);
});

t.test('many removed tasks do not fill the memory', async (t) => {
  const queue = new ReadyQueue();
  for (let index = 0; index < 100_000; index++) {
    queue.add({ id: `${index}`, priority: 0, createdAt: 0, sequence: index });
    queue.remove(`${index}`);
  }
  t.ok(queue.heapSize < 2_048, `${queue.heapSize} entries are kept`);
});
