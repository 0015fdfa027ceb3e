import type { V1Pod } from '@kubernetes/client-node';
import t from 'tap';
import type { TypeLoad } from '../../src/controller/manager.js';
import { KubernetesManager } from '../../src/controller/managers/kubernetes/manager.js';
import type { PodApi } from '../../src/controller/managers/kubernetes/pod-api.js';
import { podLabels } from '../../src/controller/managers/kubernetes/pod-sight.js';
import { createLog } from '../../src/log.js';

const pod: V1Pod = {
  metadata: { name: 'one', uid: 'u', labels: { [podLabels.type]: 'python' } },
  status: {
    ...{ phase: 'Running', podIP: '10.0.0.1' },
    conditions: [{ type: 'Ready', status: 'True' }],
  },
};

const load = (changes: Partial<TypeLoad> = {}): TypeLoad => ({
  ...{ type: 'python', ready: 0, waiting: 0, running: 1 },
  ...{ workers: new Map(), awaited: new Set() },
  ...changes,
});

t.test('a drained pod stays while what it runs may come back', async (t) => {
  const deleted: string[] = [];
  const api: Partial<PodApi> = {
    list: async () => ({ pods: [pod], resourceVersion: '1' }),
    watch: (_version, { onOpen }) => {
      onOpen();
      return () => undefined;
    },
    delete: async (name) => {
      deleted.push(name);
    },
  };
  const mould = {
    ...{ type: 'python', slots: 1, port: 5_100, controller: '' },
    template: { spec: { containers: [{ name: 'worker' }] } },
  };
  const manager = new KubernetesManager({
    ...{ api: api as PodApi, controllerPod: '', startMs: 60_000 },
    ...{ moulds: new Map([['python', mould]]), rules: new Map() },
    log: createLog('test', 'silent'),
  });
  t.teardown(() => manager.stop());
  const removed: string[] = [];
  await new Promise<void>((resolve) => {
    manager.start({
      onAdded: () => resolve(),
      onListening: () => undefined,
      onRemoved: ({ name }) => removed.push(name),
    });
  });
  const up = { busy: 1, slots: 1, draining: false };
  manager.load([load({ workers: new Map([['one', up]]) })]);
  manager.retire('one');
  manager.load([load({ workers: new Map([['one', { ...up, draining: true }]]) })]);
  manager.load([load({ awaited: new Set(['one']) })]);
  t.same([removed, deleted], [[], []], 'its connection broke, and its task goes on');
  manager.load([load()]);
  t.same([removed, deleted], [['one'], ['one']], 'it has finished');
});
