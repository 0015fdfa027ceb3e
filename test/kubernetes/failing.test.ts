import t from 'tap';
import { lacking } from './cluster.js';
import { Installation, until } from './installation.js';

const options = { skip: lacking, timeout: 580_000 };

t.test('pods that fail are deleted, and the next ones wait longer', options, async (t) => {
  const there = await Installation.start(t, { max: 1, startMs: 15_000 });
  const { kubelet } = there;
  let made = 0;
  const faults = ['exits', 'crashLoops', 'neverReady'] as const;
  kubelet.fault = () => {
    made += 1;
    return faults[made - 1];
  };
  const [id = ''] = await there.submit(1, 0.1);
  await until('it is finished', async () => (await there.finished()).has(id));
  t.ok(made > faults.length, `each was followed by another: ${made} pods`);
  t.equal(kubelet.most, 1, 'one after the other');
  await until('no pod is left', async () => (await there.pods()).length === 0);
});
