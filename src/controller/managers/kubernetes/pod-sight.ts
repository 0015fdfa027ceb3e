import type { V1ContainerStatus, V1Pod } from '@kubernetes/client-node';

/** Labels of worker pods. */
export const podLabels = {
  controller: 'scriptd/controller',
  type: 'scriptd/type',
  slots: 'scriptd/slots',
  template: 'scriptd/template',
} as const;

/** What the manager reads of one pod. */
export interface PodSight {
  name: string;
  uid: string;
  type: string;
  slots: number;
  /** Hash of what it was made from. */
  template: string;
  /**
   * `starting`; `ready`: has an address; `broken`: will not run (any more), see `reason`; `done`: ended
   * well; `ending`: is being deleted.
   */
  state: 'starting' | 'ready' | 'broken' | 'done' | 'ending';
  /** Why it is broken, for the log. */
  reason: string | undefined;
  /** Set when it is ready. */
  ip: string | undefined;
  /** When it was made, and when its time to end is over. Wall clock, milliseconds. */
  madeAtMs: number;
  endsAtMs: number | undefined;
  /** Uids of its owners. */
  owners: readonly string[];
}

/** Waits of a container that do not end by themselves. */
const hopeless = new Set([
  'CrashLoopBackOff',
  'ImagePullBackOff',
  'ErrImageNeverPull',
  'InvalidImageName',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
]);

export function podSight(pod: V1Pod): PodSight {
  const { metadata, status } = pod;
  const labels = metadata?.labels ?? {};
  return {
    name: metadata?.name ?? '',
    uid: metadata?.uid ?? '',
    type: labels[podLabels.type] ?? '',
    slots: Number(labels[podLabels.slots] ?? 1),
    template: labels[podLabels.template] ?? '',
    ...stateOf(pod),
    ip: status?.podIP,
    madeAtMs: timeOf(metadata?.creationTimestamp) ?? 0,
    endsAtMs: timeOf(metadata?.deletionTimestamp),
    owners: (metadata?.ownerReferences ?? []).map(({ uid }) => uid),
  };
}

function stateOf({ metadata, status }: V1Pod): Pick<PodSight, 'state' | 'reason'> {
  const calm = { reason: undefined };
  if (status?.phase === 'Failed') return { state: 'broken', reason: failureOf(status) };
  if (status?.phase === 'Succeeded') return { state: 'done', ...calm };
  if (metadata?.deletionTimestamp) return { state: 'ending', ...calm };
  const containers = [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
  ];
  for (const { state } of containers) {
    const reason = state?.waiting?.reason;
    if (reason !== undefined && hopeless.has(reason)) return { state: 'broken', reason };
  }
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  if (ready?.status === 'Unknown') {
    return { state: 'broken', reason: ready.reason ?? 'its node does not answer' };
  }
  return { state: ready?.status === 'True' && status?.podIP ? 'ready' : 'starting', ...calm };
}

function failureOf(status: NonNullable<V1Pod['status']>): string {
  const ended = (status.containerStatuses ?? []).map(exitOf).find((text) => text !== undefined);
  return [status.reason, status.message, ended].filter(Boolean).join(': ') || 'it failed';
}

function exitOf({ state }: V1ContainerStatus): string | undefined {
  const { terminated } = state ?? {};
  if (!terminated) return undefined;
  return `exited with code ${terminated.exitCode}${terminated.reason ? ` (${terminated.reason})` : ''}`;
}

/** A watch brings them as text, a list as Date. */
function timeOf(time: Date | string | undefined): number | undefined {
  return time === undefined ? undefined : new Date(time).getTime();
}
