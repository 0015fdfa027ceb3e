import t from 'tap';
import { Pauses } from '../../src/controller/pauses.js';
import { Queues } from '../../src/controller/queues.js';
import { Scheduler } from '../../src/scheduler/scheduler.js';
import { MemoryStore } from '../../src/store/memory.js';

const taskId = '01890a5d-ac96-774b-bcce-b302099a8057';
const none = { paused: false, ready: 0, waiting: 0, running: 0, workers: 0, slots: 0 };

t.test('the wait of the task whose turn it is counts from when it was ready', async (t) => {
  const scheduler = new Scheduler({ random: () => 0 });
  const queuedSinceMs = new Map<string, number>();
  const queues = new Queues({
    ...{ types: ['python', 'bash'], scheduler, pauses: new Pauses(new MemoryStore()) },
    flights: { queuedSinceMs: (id) => queuedSinceMs.get(id) },
  });
  const bash = { ...none, type: 'bash' };
  t.same(queues.report(0), [bash, { ...none, type: 'python' }], 'nothing has come');
  // What the scheduler knows beside that would cost the connection: the wire does not.

  const task = { id: taskId, type: 'python', priority: 0, createdAt: 1_000, wallMs: 1 };
  scheduler.submit({ ...task, score: 0, group: undefined, retry: undefined, runAtMs: 5_000 });
  scheduler.take(1_000);
  queuedSinceMs.set(taskId, 1_000);
  const [, delayed] = queues.report(4_000);
  t.same(delayed, { ...none, type: 'python', waiting: 1 }, 'it waits for its time');
  scheduler.take(5_000);
  const [, ready] = queues.report(7_500.4);
  t.same(ready, { ...none, type: 'python', ready: 1, oldestMs: 2_500 });
  queuedSinceMs.set(taskId, 6_000);
  t.match(queues.report(7_500), [{}, { oldestMs: 1_500 }], 'it came back since then');
  queuedSinceMs.delete(taskId);
  t.same(queues.report(7_500)[1], { ...none, type: 'python', ready: 1 }, 'it is on its way out');
});

t.test('a type that is not there is neither paused nor resumed', async (t) => {
  const scheduler = new Scheduler({ random: () => 0 });
  const queues = new Queues({
    ...{ types: ['bash'], scheduler, pauses: new Pauses(new MemoryStore()) },
    flights: { queuedSinceMs: () => undefined },
  });
  t.match(await queues.pause('bash', 0), { type: 'bash', paused: true });
  t.match(await queues.resume('bash', 0), { type: 'bash', paused: false });
  t.equal(await queues.pause('perl', 0), undefined);
  t.equal(await queues.resume('perl', 0), undefined);
});
