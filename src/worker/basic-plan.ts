import { invariant } from '../invariant.js';

/** What a plain start has at level basic, beside seccomp and the loss of every capability. */
export interface BasicPlan {
  /** 'if-available' goes without where the kernel, or a container's filter, has none. */
  landlock: 'require' | 'if-available';
  /** Absolute paths of which everything below can be read and executed; they must exist. */
  readOnly: readonly string[];
  /**
   * Absolute paths of which everything below is free, the work directory among them; devices such as
   * /dev/null too. Nothing but these and `readOnly` can be opened, except the working directory.
   */
  writable: readonly string[];
  /**
   * Ids that nobody else on this host has, for a worker that may take them: root. Without them the
   * script has the worker's, and owns what the worker owns. The work directory must be theirs.
   */
  uid?: number;
  gid?: number;
  /** As in a strict plan. */
  cgroup?: {
    v2Directory?: number;
    v1Procs?: readonly number[];
  };
}

/** The plan as the addon takes it. */
export interface NativeBasicPlan {
  requireLandlock: boolean;
  readOnly: readonly string[];
  writable: readonly string[];
  uid?: number;
  gid?: number;
  cgroup?: number;
  procs: readonly number[];
}

export function nativeBasicPlan(plan: BasicPlan): NativeBasicPlan {
  const { landlock, readOnly, writable, uid, gid, cgroup = {} } = plan;
  invariant((uid === undefined) === (gid === undefined), 'uid and gid come together');
  for (const path of [...readOnly, ...writable]) {
    invariant(path.startsWith('/'), `an absolute path, not ${JSON.stringify(path)}`);
  }
  return {
    ...{ requireLandlock: landlock === 'require', readOnly, writable },
    procs: cgroup.v1Procs ?? [],
    ...(uid !== undefined && gid !== undefined && { uid, gid }),
    ...(cgroup.v2Directory !== undefined && { cgroup: cgroup.v2Directory }),
  };
}
