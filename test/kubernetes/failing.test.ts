import t from 'tap';
import { lacking } from './cluster.js';
import { Installation, until } from './installation.js';

const options = { skip: lacking, timeout: 300_000 };

t.test('pods that fail are deleted, and the next ones wait longer', options, async (t) => {
  const there = await Installation.start(t, { max: 1, startMs: 4_000 });
  const { kubelet } = there;
  const made: number[] = [];
  const faults = ['exits', 'crashLoops', 'neverReady'] as const;
  kubelet.fault = () => {
    made.push(Date.now());
    return faults[made.length - 1];
  };
  const [id = ''] = await there.submit(1, 0.1);
  await until('it is finished', 90, async () => (await there.finished()).has(id));
  t.equal(made.length, 4, 'one pod after the other');
  const waits = made.slice(1).map((at, index) => at - (made[index] ?? 0));
  t.ok(
    waits.every((ms, index) => ms >= 1_000 * 2 ** index),
    `waits: ${waits}`,
  );
  await until('no pod is left', 60, async () => (await there.pods()).length === 0);
});
