import { existsSync, readFileSync } from 'node:fs';

/** Where this process runs, as far as it matters for what would help. */
export interface Surroundings {
  isRoot: boolean;
  inContainer: boolean;
}

export function surroundings(): Surroundings {
  const marks = ['/.dockerenv', '/run/.containerenv', '/var/run/secrets/kubernetes.io'];
  return { isRoot: process.geteuid?.() === 0, inContainer: marks.some((path) => existsSync(path)) };
}

const containerFlags =
  '--cap-add SYS_ADMIN --security-opt seccomp=unconfined --security-opt apparmor=unconfined ' +
  '--security-opt systempaths=unconfined';

/** What gives this process the right to make namespaces. */
export function namespaceCure({ isRoot, inContainer }: Surroundings): string {
  if (inContainer) return `start the container with ${containerFlags}`;
  if (isRoot) return 'give this process CAP_SYS_ADMIN: in a service, let it keep all capabilities';
  for (const [path, refusing, setting] of userNamespaceSwitches) {
    if (readText(path) === refusing) return `as root: sysctl ${setting}`;
  }
  return 'run scriptd as root, or allow user namespaces to ordinary users';
}

/** What switches user namespaces off for ordinary users: Debian's, Ubuntu's and the kernel's own. */
const userNamespaceSwitches = [
  ['/proc/sys/kernel/unprivileged_userns_clone', '0', 'kernel.unprivileged_userns_clone=1'],
  [
    '/proc/sys/kernel/apparmor_restrict_unprivileged_userns',
    '1',
    'kernel.apparmor_restrict_unprivileged_userns=0, or an AppArmor profile for node that allows userns',
  ],
  ['/proc/sys/user/max_user_namespaces', '0', 'user.max_user_namespaces=10000'],
] as const;

export function rootCure({ inContainer }: Surroundings): string {
  return inContainer
    ? `start the container with ${containerFlags}`
    : 'allow this process mount(2): no seccomp filter or security module may refuse it';
}

export function cgroupCure({ isRoot, inContainer }: Surroundings): string {
  if (inContainer) {
    return `let the container write to its own cgroups: ${containerFlags}`;
  }
  const service = 'run scriptd as a systemd service with Delegate=yes';
  return isRoot ? service : `${service} (on cgroup v2), or as root`;
}

export const landlockCure =
  'a kernel from Linux 5.13 on with CONFIG_SECURITY_LANDLOCK, and landlock in its lsm= list ' +
  '(/sys/kernel/security/lsm)';

export const seccompCure =
  'a kernel with CONFIG_SECCOMP_FILTER, and nothing around this process that refuses seccomp(2)';

function readText(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined;
}
