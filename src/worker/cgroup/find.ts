import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errorMessage } from '../../errors.js';
import type { CgroupHost } from './cgroup.js';
import { make, write } from './files.js';
import { V1Host } from './v1.js';
import { V2Host } from './v2.js';

/** Why no cgroup can be made for runs, and what would help. */
export interface CgroupMissing {
  detail: string;
}

/** The leaf that scriptd's own processes move to, so that their cgroup may have children. */
const ownLeaf = 'scriptd-parts';

/**
 * Finds where this process may make cgroups: version 2 first.
 *
 * @param name of the worker's folder, unique on this host
 */
export function findCgroups(name: string): CgroupHost | CgroupMissing {
  const mounts = readMounts();
  const own = readOwn();
  const reasons: string[] = [];
  for (const attempt of [() => openV2(mounts, own, name), () => openV1(mounts, own, name)]) {
    try {
      const host = attempt();
      if ('version' in host) return host;
      reasons.push(host.detail);
    } catch (error) {
      reasons.push(errorMessage(error));
    }
  }
  return { detail: reasons.join('; ') };
}

interface Mount {
  path: string;
  type: string;
  options: string[];
}

/** Source: proc(5), /proc/self/mounts */
function readMounts(): Mount[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, path, type, options] = line.split(' ');
      const isCgroup = type === 'cgroup' || type === 'cgroup2';
      return path && type && options && isCgroup
        ? [{ path, type, options: options.split(',') }]
        : [];
    });
}

/** This process's cgroup in each hierarchy: '' is version 2. Source: cgroups(7) */
function readOwn(): Map<string, string> {
  const own = new Map<string, string>();
  for (const line of readFileSync('/proc/self/cgroup', 'utf8').trim().split('\n')) {
    const [, controllers = '', path = '/'] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    for (const controller of controllers.split(',')) own.set(controller, path);
  }
  return own;
}

function openV2(
  mounts: Mount[],
  own: Map<string, string>,
  name: string,
): CgroupHost | CgroupMissing {
  const mount = mounts.find(({ type }) => type === 'cgroup2');
  if (!mount) return { detail: 'cgroup v2 is not mounted' };
  const available = readFileSync(join(mount.path, 'cgroup.controllers'), 'utf8').split(/\s+/);
  if (!available.includes('memory') || !available.includes('pids')) {
    return { detail: `${mount.path} has not the memory and pids controllers` };
  }
  const parent = parentWithControllers(mount.path, join(mount.path, own.get('') ?? '/'));
  return new V2Host(parent, name);
}

/**
 * The cgroup under which children with memory and pids may be made. A cgroup that hands on
 * controllers may have no processes itself, so ours move to a leaf first; that is allowed where the
 * cgroup was delegated to us (systemd: Delegate=yes) or holds nobody else.
 */
function parentWithControllers(root: string, own: string): string {
  const parent = basename(own) === ownLeaf ? dirname(own) : own;
  const enabled = () => readFileSync(join(parent, 'cgroup.subtree_control'), 'utf8').split(/\s+/);
  if (!['memory', 'pids'].every((controller) => enabled().includes(controller))) {
    if (parent !== root) moveToLeaf(parent);
    write(parent, 'cgroup.subtree_control', '+memory +pids');
  }
  return parent;
}

function moveToLeaf(parent: string): void {
  const leaf = join(parent, ownLeaf);
  const pids = readFileSync(join(parent, 'cgroup.procs'), 'utf8').trim().split('\n');
  const strangers = pids.filter((pid) => pid !== '' && !isOurs(pid));
  if (strangers.length > 0) {
    throw new Error(
      `the cgroup ${parent} holds other processes too (${strangers.slice(0, 3).join(', ')}): ` +
        'run scriptd as a service of its own with Delegate=yes',
    );
  }
  if (!existsSync(leaf)) make(leaf);
  for (const pid of pids) if (pid !== '') write(leaf, 'cgroup.procs', pid);
}

/** True for this process and the parts of scriptd. */
function isOurs(pid: string): boolean {
  if (Number(pid) === process.pid) return true;
  const path = `/proc/${pid}/cmdline`;
  return existsSync(path) && readFileSync(path, 'utf8').includes('bin/scriptd');
}

function openV1(
  mounts: Mount[],
  own: Map<string, string>,
  name: string,
): CgroupHost | CgroupMissing {
  const folder = (controller: string) => {
    const mount = mounts.find(
      ({ type, options }) => type === 'cgroup' && options.includes(controller),
    );
    return mount ? join(mount.path, own.get(controller) ?? '/') : undefined;
  };
  const [memory, pids, cpuacct] = ['memory', 'pids', 'cpuacct'].map(folder);
  if (!memory || !pids || !cpuacct) {
    return { detail: 'cgroup v1 has not the memory, pids and cpuacct hierarchies' };
  }
  return new V1Host({ memory, pids, cpuacct }, name);
}
