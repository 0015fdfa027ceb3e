import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errorCode, errorMessage } from '../../errors.js';
import type { CgroupHost } from './cgroup.js';
import { make, write } from './files.js';
import { type CgroupMount, folderOf, readMounts, readOwn } from './mounts.js';
import { V1Host } from './v1.js';
import { V2Host } from './v2.js';

/** Why no cgroup can be made for runs, and what would help. */
export interface CgroupMissing {
  detail: string;
}

/** The leaf that scriptd's own processes move to, so that their cgroup may have children. */
const ownLeaf = 'scriptd-parts';
/** Times that processes are moved there before it must be empty of them. */
const movePassesMax = 5;
const subtree = 'cgroup.subtree_control';

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

function openV2(
  mounts: CgroupMount[],
  own: Map<string, string>,
  name: string,
): CgroupHost | CgroupMissing {
  const mount = mounts.find(({ version }) => version === 2);
  if (!mount) return { detail: 'cgroup v2 is not mounted' };
  const folder = folderOf(mount, own.get('') ?? '/');
  const available = readFileSync(join(folder, 'cgroup.controllers'), 'utf8').split(/\s+/);
  if (!available.includes('memory') || !available.includes('pids')) {
    return { detail: `${folder} (cgroup v2) has not the memory and pids controllers` };
  }
  return new V2Host(parentWithControllers(folder), name);
}

/**
 * The cgroup under which children with memory and pids may be made, and with cpu where it is to be
 * had. A cgroup that hands on controllers may have no processes itself, so ours move to a leaf first;
 * that is allowed where the cgroup was delegated to us (systemd: Delegate=yes), is the root of a
 * container, or holds nobody else.
 *
 * Source: Documentation/admin-guide/cgroup-v2.rst, "No Internal Process Constraint"
 */
function parentWithControllers(own: string): string {
  const parent = basename(own) === ownLeaf ? dirname(own) : own;
  const words = (file: string) => readFileSync(join(parent, file), 'utf8').split(/\s+/);
  const missing = ['memory', 'pids', 'cpu'].filter(
    (name) => words('cgroup.controllers').includes(name) && !words(subtree).includes(name),
  );
  if (missing.length === 0) return parent;
  // Only the root of the whole host has no type, and may have processes beside children.
  if (existsSync(join(parent, 'cgroup.type'))) moveToLeaf(parent);
  for (const name of missing) {
    // A host whose real-time processes stand in its way may refuse cpu: then it is gone without.
    if (name === 'cpu') writeIfAllowed(parent, subtree, `+${name}`);
    else write(parent, subtree, `+${name}`);
  }
  return parent;
}

function writeIfAllowed(directory: string, file: string, value: string): void {
  try {
    write(directory, file, value);
  } catch (error) {
    if (!['EINVAL', 'EACCES', 'EPERM'].includes(errorCode(error) ?? '')) throw error;
  }
}

function moveToLeaf(parent: string): void {
  const leaf = join(parent, ownLeaf);
  if (!existsSync(leaf)) makeShared(leaf);
  // Some that are started meanwhile come after.
  for (let pass = 0; pass < movePassesMax; pass++) {
    const pids = readFileSync(join(parent, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean);
    if (pids.length === 0) return;
    const strangers = pids.filter((pid) => !isOurs(pid));
    if (strangers.length > 0 && !isContainerRoot(parent)) {
      throw new Error(
        `the cgroup ${parent} holds other processes too (${strangers.slice(0, 3).join(', ')}): ` +
          'run scriptd as a service of its own with Delegate=yes',
      );
    }
    for (const pid of pids) move(leaf, pid);
  }
}

/** Another worker may have made it a moment ago. */
function makeShared(folder: string): void {
  try {
    make(folder);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
}

function move(cgroup: string, pid: string): void {
  try {
    write(cgroup, 'cgroup.procs', pid);
  } catch (error) {
    // ESRCH: it has ended.
    if (errorCode(error) !== 'ESRCH') throw error;
  }
}

/** In a cgroup namespace of our own all that is in its root is our container's. */
function isContainerRoot(cgroup: string): boolean {
  return readOwn().get('') === '/' && existsSync(join(cgroup, 'cgroup.type'));
}

/** True for this process and the parts of scriptd. */
function isOurs(pid: string): boolean {
  if (Number(pid) === process.pid) return true;
  const path = `/proc/${pid}/cmdline`;
  return existsSync(path) && readFileSync(path, 'utf8').includes('bin/scriptd');
}

function openV1(
  mounts: CgroupMount[],
  own: Map<string, string>,
  name: string,
): CgroupHost | CgroupMissing {
  const folder = (controller: string) => {
    const mount = mounts.find(
      ({ version, controllers }) => version === 1 && controllers.includes(controller),
    );
    return mount ? folderOf(mount, own.get(controller) ?? '/') : undefined;
  };
  const [memory, pids, cpuacct, cpu] = ['memory', 'pids', 'cpuacct', 'cpu'].map(folder);
  if (!memory || !pids || !cpuacct) {
    return { detail: 'cgroup v1 has not the memory, pids and cpuacct hierarchies' };
  }
  return new V1Host({ memory, pids, cpuacct, ...(cpu && { cpu }) }, name);
}
