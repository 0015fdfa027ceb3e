import t from 'tap';
import { lacking, namespace } from './cluster.js';
import { Installation, until } from './installation.js';

const options = { skip: lacking, timeout: 580_000 };

t.test(
  'an API server that forgot where the watch was: 410 Gone, and a new list',
  options,
  async (t) => {
    const there = await Installation.start(t, { min: 2, max: 2, cooldownMs: 60_000 });
    const { kubelet, cluster } = there;
    await until('the pods run', async () => (await there.connected()) === 2);
    // Shut until the roles are in force again: a watch that is forbidden lists too, without a 410.
    await cluster.gate.shut();
    await cluster.killServer();
    const [lost = ''] = kubelet.running;
    // While nobody can be told, work goes on.
    const ids = await there.submit(20, 0.1);
    await until('all are finished', async () => (await there.finished()).size === ids.length);
    kubelet.kill(lost);
    await cluster.compact();
    await cluster.startServer();
    await cluster.untilAllowed('scriptd-controller');
    await cluster.gate.open();
    await until('it listed again', () => there.service.log.includes('listing the pods again'));
    await until('there are two again', async () => (await there.connected()) === 2);
    t.notOk(kubelet.running.includes(lost));
    const [other = ''] = kubelet.running;
    await cluster.core.deleteNamespacedPod({ name: other, namespace });
    await until('the new watch tells of it', async () => {
      return (await there.connected()) === 2 && !kubelet.running.includes(other);
    });
  },
);
