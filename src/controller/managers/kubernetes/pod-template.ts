import { createHash } from 'node:crypto';
import type { V1OwnerReference, V1Pod, V1PodTemplateSpec } from '@kubernetes/client-node';
import { ScriptdError } from '../../../errors.js';
import { podLabels } from './pod-sight.js';

/** What all pods of one type have in common. */
export interface PodMould {
  type: string;
  slots: number;
  /** Where the worker listens, on its pod's address. */
  port: number;
  template: V1PodTemplateSpec;
  /** Name of the controller's pod: tells the pods of one installation from another's. */
  controller: string;
}

const containerName = 'worker';

/**
 * Refuses a template that no worker can run in.
 *
 * @throws ScriptdError BAD_CONFIG
 */
export function checkTemplate(template: V1PodTemplateSpec, where: string): void {
  const containers = template.spec?.containers;
  if (!Array.isArray(containers) || !containers.some(({ name }) => name === containerName)) {
    throw new ScriptdError(
      'BAD_CONFIG',
      `\`${where}\` has no container named \`${containerName}\` in \`spec.containers\`: ` +
        'it is the one that scriptd gives its arguments to',
    );
  }
}

/** With the image of the controller's own container, where the worker's has none. */
export function withImage(mould: PodMould, controller: V1Pod): PodMould {
  const image = controller.spec?.containers[0]?.image;
  const { template } = mould;
  if (!template.spec || image === undefined) return mould;
  const containers = template.spec.containers.map((container) =>
    container.name === containerName ? { image, ...container } : container,
  );
  return { ...mould, template: { ...template, spec: { ...template.spec, containers } } };
}

/** Short and the same for the same pods: it tells those that are made from an earlier template. */
export function templateHash({ type, slots, port, template }: PodMould): string {
  const text = JSON.stringify(sorted({ type, slots, port, template }));
  return createHash('sha256').update(text).digest('hex').slice(0, 10);
}

/** A worker's pod, ready to be created. It runs one process, which is not started again. */
export function podOf(mould: PodMould, name: string, owners: readonly V1OwnerReference[]): V1Pod {
  const { type, slots, controller, template } = mould;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...template.metadata,
      name,
      labels: {
        'app.kubernetes.io/name': 'scriptd',
        'app.kubernetes.io/component': 'worker',
        'app.kubernetes.io/managed-by': 'scriptd',
        ...template.metadata?.labels,
        [podLabels.controller]: controller,
        [podLabels.type]: type,
        [podLabels.slots]: String(slots),
        [podLabels.template]: templateHash(mould),
      },
      ownerReferences: [...owners],
    },
    spec: {
      restartPolicy: 'Never',
      ...template.spec,
      containers: (template.spec?.containers ?? []).map((container) =>
        container.name === containerName ? workerContainer(container, mould, name) : container,
      ),
    },
  };
}

function workerContainer(
  container: NonNullable<V1Pod['spec']>['containers'][number],
  { type, slots, port }: PodMould,
  name: string,
) {
  const address = { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } };
  const identity = [`--type=${type}`, `--slots=${slots}`, `--name=${name}`];
  const own = ['worker', ...identity, `--listen=tcp://$(POD_IP):${port}`];
  return {
    ...container,
    args: [...own, ...(container.args ?? [])],
    env: [address, ...(container.env ?? [])],
    ports: container.ports ?? [{ name: 'wire', containerPort: port }],
  };
}

/** With the keys of every object in order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}
