import { KubeConfig } from '@kubernetes/client-node';
import t from 'tap';
import { PodApi } from '../../src/controller/managers/kubernetes/pod-api.js';
import { errorCode } from '../../src/errors.js';
import { Cluster, lacking, namespace } from './cluster.js';

const uid = '11111111-2222-3333-4444-555555555555';

t.test('the controller may do what it does, and no more', { skip: lacking }, async (t) => {
  const cluster = await Cluster.start(t);
  await cluster.install();
  await cluster.controllerPod();
  await cluster.accountFile('scriptd-controller');
  await cluster.untilAllowed('scriptd-controller');
  const apiOf = async (account: string) => {
    const config = new KubeConfig();
    config.loadFromFile(await cluster.accountFile(account));
    return new PodApi(config, namespace, 'scriptd/controller=scriptd-controller-0');
  };
  const requests = (api: PodApi): Record<string, () => Promise<unknown>> => ({
    list: () => api.list(),
    get: () => api.read('scriptd-controller-0'),
    create: () => api.create({ metadata: { name: 'one' }, spec: podSpec }),
    patch: () => api.setOwners('none', uid, []),
    delete: () => api.delete('none', uid),
    watch: () =>
      new Promise((resolve, reject) => {
        const nothing = () => undefined;
        const end = api.watch('', {
          ...{ onPod: nothing, onBookmark: nothing, onEnd: reject },
          onOpen: () => {
            end();
            resolve(undefined);
          },
        });
      }),
  });
  const may = async (request: () => Promise<unknown>) => {
    try {
      await request();
    } catch (error) {
      return errorCode(error);
    }
    return 'done';
  };
  const own = requests(await apiOf('scriptd-controller'));
  for (const [verb, request] of Object.entries(own)) {
    const missing = verb === 'patch' || verb === 'delete' ? 'KUBERNETES_MISSING' : 'done';
    t.equal(await may(request), missing, `the controller may ${verb}`);
  }
  const others = requests(await apiOf('scriptd-worker'));
  for (const [verb, request] of Object.entries(others)) {
    t.equal(await may(request), 'KUBERNETES_FORBIDDEN', `a worker may not ${verb}`);
  }
  const api = await apiOf('scriptd-controller');
  t.equal(await may(() => api.read('one')), 'KUBERNETES_FORBIDDEN', 'only its own pod is read');
});

const podSpec = {
  serviceAccountName: 'scriptd-worker',
  containers: [{ name: 'worker', image: 'scriptd:test' }],
};
