import t from 'tap';
import { lacking } from './cluster.js';
import { Installation, until } from './installation.js';

const options = { skip: lacking, timeout: 580_000 };

t.test('a new template replaces the pods one by one, across a restart', options, async (t) => {
  const there = await Installation.start(t, { min: 3, max: 4 });
  const { kubelet } = there;
  await until('the pods run', async () => (await there.connected()) === 3);
  const before = kubelet.running;
  await there.restart({ min: 3, max: 4, label: 'two' });
  t.same(kubelet.running, before, 'the restart ended none');
  let least = 3;
  await until('all are of the new template', async () => {
    least = Math.min(least, kubelet.running.length);
    const editions = (await there.pods()).map(({ metadata }) => metadata?.labels?.edition);
    return editions.length === 3 && editions.every((edition) => edition === 'two');
  });
  t.equal(least, 3, 'the new one came before the old one went');
  t.same(kubelet.signalled, []);
});
