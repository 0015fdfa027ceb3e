import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A cgroup hierarchy that is mounted here. */
export interface CgroupMount {
  /** Where. */
  path: string;
  version: 1 | 2;
  /** The cgroup that shows there; in a container often its own. */
  root: string;
  /** Of version 1, e.g. memory. */
  controllers: readonly string[];
  isReadOnly: boolean;
}

const remountMsMax = 5_000;

/** Source: proc(5), /proc/self/mountinfo */
export function readMounts(): CgroupMount[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [before = '', after = ''] = line.split(' - ');
      const [, , , root, path, options] = before.split(' ');
      const [type, , superOptions = ''] = after.split(' ');
      if (!root || !path || !options || (type !== 'cgroup' && type !== 'cgroup2')) return [];
      const controllers = superOptions.split(',');
      const isReadOnly = options.split(',').includes('ro') || controllers.includes('ro');
      return [{ root, path, controllers, isReadOnly, version: type === 'cgroup' ? 1 : 2 } as const];
    });
}

/** This process's cgroup in each hierarchy: '' is version 2. Source: cgroups(7) */
export function readOwn(): Map<string, string> {
  const own = new Map<string, string>();
  for (const line of readFileSync('/proc/self/cgroup', 'utf8').trim().split('\n')) {
    const [, controllers = '', path = '/'] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    for (const controller of controllers.split(',')) own.set(controller, path);
  }
  return own;
}

/**
 * The folder of a cgroup, given its path as /proc/self/cgroup shows it. In a container with the
 * host's cgroup namespace that path begins with what the mount leaves out.
 *
 * @throws Error when it does not show in this mount, or is read-only and stays so
 */
export function folderOf(mount: CgroupMount, own: string): string {
  const below = mount.root === '/' ? own : own.slice(mount.root.length);
  if (mount.root !== '/' && own !== mount.root && !own.startsWith(`${mount.root}/`)) {
    throw new Error(`the cgroup ${own} of this process does not show in ${mount.path}`);
  }
  // All that shows is ours, as in a container: who has CAP_SYS_ADMIN may write there after all.
  if (mount.isReadOnly && own === mount.root) makeWritable(mount);
  return join(mount.path, below);
}

/** The flag is of our own mount namespace. mount(8): a program, since node has no mount(2). */
function makeWritable({ path }: CgroupMount): void {
  const { status, stderr, error } = spawnSync('mount', ['-o', 'remount,rw,bind', path], {
    ...{ encoding: 'utf8', timeout: remountMsMax, stdio: ['ignore', 'ignore', 'pipe'] },
  });
  if (status === 0) return;
  const why = error?.message ?? stderr.trim().split('\n')[0];
  throw new Error(`${path} is mounted read-only, and cannot be mounted otherwise (${why})`);
}
