import t from 'tap';
import { lacking } from './cluster.js';
import { Installation, until } from './installation.js';

const options = { skip: lacking, timeout: 300_000 };

t.test('a worker that hangs is replaced, and its task is run elsewhere', options, async (t) => {
  const there = await Installation.start(t, { max: 2, slots: 1 });
  const { kubelet } = there;
  const [id = ''] = await there.submit(1, 3);
  await until('it runs', 60, async () => (await there.busySlots()) === 1);
  const [hung = ''] = kubelet.running;
  kubelet.kill(hung, 'SIGSTOP');
  await until('it is finished', 90, async () => (await there.finished()).has(id));
  const task = (await there.finished()).get(id);
  t.match(task, { outcome: 'success', attempt: 2 });
  kubelet.kill(hung);
  await until('no pod is left', 60, async () => (await there.pods()).length === 0);
});
