import type { V1Pod } from '@kubernetes/client-node';
import t from 'tap';
import { ownersOf } from '../../src/controller/managers/kubernetes/owners.js';
import { podLabels, podSight } from '../../src/controller/managers/kubernetes/pod-sight.js';
import {
  checkTemplate,
  type PodMould,
  podOf,
  templateHash,
  withImage,
} from '../../src/controller/managers/kubernetes/pod-template.js';
import { errorCode } from '../../src/errors.js';

const mould: PodMould = {
  ...{ type: 'python', slots: 4, port: 5_100, controller: 'c-0' },
  template: { metadata: { labels: { own: 'yes' } }, spec: { containers: [{ name: 'worker' }] } },
};

function pod(status: V1Pod['status'] & object, metadata: V1Pod['metadata'] = {}): V1Pod {
  return { metadata: { name: 'one', labels: { [podLabels.type]: 'python' }, ...metadata }, status };
}

function waiting(reason: string): V1Pod {
  const state = { waiting: { reason } };
  const container = {
    name: 'worker',
    ready: false,
    restartCount: 0,
    image: '',
    imageID: '',
    state,
  };
  return pod({ phase: 'Running', containerStatuses: [container] });
}

const ready = (status: string) => [{ type: 'Ready', status }];

t.test('what the API server says of a pod, in one word', async (t) => {
  const deletionTimestamp = new Date(0);
  const cases: [string, V1Pod][] = [
    ['starting', pod({ phase: 'Pending' })],
    ['starting', pod({ phase: 'Running', podIP: '10.0.0.1', conditions: ready('False') })],
    ['starting', pod({ phase: 'Running', conditions: ready('True') })],
    ['ready', pod({ phase: 'Running', podIP: '10.0.0.1', conditions: ready('True') })],
    ['broken', pod({ phase: 'Running', podIP: '10.0.0.1', conditions: ready('Unknown') })],
    ['broken', pod({ phase: 'Failed' }, { deletionTimestamp })],
    ['broken', waiting('CrashLoopBackOff')],
    ['broken', waiting('ImagePullBackOff')],
    ['starting', waiting('ContainerCreating')],
    ['done', pod({ phase: 'Succeeded' })],
    ['ending', pod({ phase: 'Running', conditions: ready('True') }, { deletionTimestamp })],
  ];
  for (const [state, object] of cases) t.equal(podSight(object).state, state);
});

t.test('a pod is made from its template, and says so', async (t) => {
  const made = podOf(mould, 'scriptd-python-1', []);
  const sight = podSight(made);
  t.match(sight, { type: 'python', slots: 4, template: templateHash(mould) });
  t.equal(made.metadata?.labels?.own, 'yes');
  t.equal(made.spec?.restartPolicy, 'Never');
  const args = made.spec?.containers[0]?.args;
  t.same(args?.slice(-1), ['--listen=tcp://$(POD_IP):5100']);
});

t.test('the hash changes with the pod, and not with the order of keys', async (t) => {
  const { metadata, spec } = mould.template;
  const turned = { ...mould, template: { ...(spec && { spec }), ...(metadata && { metadata }) } };
  t.equal(templateHash(turned), templateHash(mould));
  t.not(templateHash({ ...mould, slots: 5 }), templateHash(mould));
  const controller = { spec: { containers: [{ name: 'controller', image: 'scriptd:2' }] } };
  const filled = withImage(mould, controller);
  t.equal(filled.template.spec?.containers[0]?.image, 'scriptd:2');
  t.not(templateHash(filled), templateHash(mould));
});

t.test('a template without the container of the worker is refused', async (t) => {
  try {
    checkTemplate({ spec: { containers: [{ name: 'other' }] } }, 'kubernetes.pod');
    t.fail('it was taken');
  } catch (error) {
    t.equal(errorCode(error), 'BAD_CONFIG');
  }
});

t.test('pods belong to the controller, and to whom that one belongs', async (t) => {
  const owner = {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    name: 'c',
    uid: '2',
    controller: true,
  };
  const owners = ownersOf({ metadata: { name: 'c-0', uid: '1', ownerReferences: [owner] } });
  t.same(owners, [
    { apiVersion: 'v1', kind: 'Pod', name: 'c-0', uid: '1' },
    { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'c', uid: '2' },
  ]);
});
