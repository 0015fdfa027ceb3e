import type { V1OwnerReference, V1Pod } from '@kubernetes/client-node';

/**
 * Whom a worker's pod belongs to: the controller's pod, and whoever that one belongs to. Kubernetes
 * deletes it when none of them is left: so it outlives a controller's pod that is replaced, but not
 * the StatefulSet. Neither is its controller in the sense of Kubernetes.
 */
export function ownersOf(controller: V1Pod): V1OwnerReference[] {
  const { name = '', uid = '', ownerReferences = [] } = controller.metadata ?? {};
  const above = ownerReferences.map(({ apiVersion, kind, name, uid }) => ({
    ...{ apiVersion, kind, name, uid },
  }));
  return [{ apiVersion: 'v1', kind: 'Pod', name, uid }, ...above];
}
