import t from 'tap';
import { typeLoads } from '../../src/controller/type-loads.js';
import { Scheduler } from '../../src/scheduler/scheduler.js';

const task = { type: 'python', priority: 0, createdAt: 0, wallMs: 1_000 };
const id = '01900000-0000-7000-8000-000000000001';

t.test('a worker that is away is waited for while tasks wait for it', async (t) => {
  const scheduler = new Scheduler({ random: Math.random, retry: new Map(), groups: new Map() });
  const offer = { type: 'python', slots: 1, reconnectGraceMs: 30_000, running: [] };
  scheduler.connect({ id: 'busy', ...offer }, 0);
  scheduler.submit({ id, ...task });
  scheduler.take(0);
  scheduler.connect({ id: 'idle', ...offer }, 0);
  const load = () => typeLoads(['python', 'bash'], scheduler);
  t.equal(load()[0]?.workers.size, 2);
  t.equal(load()[0]?.awaited.size, 0);
  scheduler.disconnect('busy', 0);
  scheduler.disconnect('idle', 0);
  const [python, bash] = load();
  t.same([...(python?.workers.keys() ?? [])], []);
  t.same([...(python?.awaited ?? [])], ['busy'], 'for the other nobody waits');
  t.equal(bash?.awaited.size, 0);
  scheduler.take(30_000);
  t.equal(load()[0]?.awaited.size, 0);
});
