import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { lacking } from './cluster.js';
import { Installation, until } from './installation.js';

const options = { skip: lacking, timeout: 580_000 };

t.test('a worker that hangs is replaced, and its task is run elsewhere', options, async (t) => {
  const there = await Installation.start(t, { max: 2, slots: 1 });
  const { kubelet } = there;
  const seen = join(there.dataDir, 'seen');
  const code = `[ -e ${seen} ] && exit; touch ${seen}; sleep 600`;
  const [id = ''] = await there.submitCode(1, code);
  await until('it runs', () => existsSync(seen));
  const [hung = ''] = kubelet.running;
  kubelet.kill(hung, 'SIGSTOP');
  await until('it is finished', async () => (await there.finished()).has(id));
  const task = (await there.finished()).get(id);
  t.match(task, { outcome: 'success', attempt: 2 });
  kubelet.kill(hung);
  await until('no pod is left', async () => (await there.pods()).length === 0);
});
