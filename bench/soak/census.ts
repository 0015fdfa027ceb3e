import { type Dirent, existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { folderOf, readMounts, readOwn } from '../../src/worker/cgroup/mounts.js';
import { cgroupName } from '../../src/worker/isolation.js';
import { type Held, heldBy, mountPointsOf, treeOf, wordsOf } from './proc.js';

/** What must be as it was, once nothing runs. */
export const counted = [
  'processes',
  'descriptors',
  'threads',
  'mounts',
  'cgroups',
  'files',
] as const;
export type Counted = (typeof counted)[number];

/** What a service has on its host at one moment. */
export interface Census extends Record<Counted, number> {
  /** By name: `up`, `controller`, `http`, `worker python-1`, `fork server`. */
  parts: Map<string, Held>;
  /** Of the store's file: it never shrinks, but its free pages are used again. */
  storeBytes: number;
}

/**
 * Counts what belongs to a service: processes, with those of its scripts and those that wait for some;
 * descriptors and threads of its parts; mounts that its parts see where scripts or it mount; cgroups
 * and files that it made.
 *
 * @param pid of `scriptd up`
 */
export function takeCensus(pid: number, dataDir: string): Census {
  const tree = treeOf(pid);
  const pids = partsOf(tree);
  const parts = new Map([...pids].map(([name, part]) => [name, heldBy(part)]));
  const sum = (of: (held: Held) => number) =>
    [...parts.values()].reduce((total, held) => total + of(held), 0);
  const mounts = [...pids.values()].flatMap((part) => mountPointsOf(part));
  return {
    parts,
    processes: tree.length,
    descriptors: sum((held) => held.descriptors),
    threads: sum((held) => held.threads),
    mounts: mounts.filter((point) => isOfRuns(point, dataDir)).length,
    cgroups: cgroupsOf(dataDir),
    files: readdirSync(dataDir, { recursive: true }).length,
    storeBytes: statSync(join(dataDir, 'store', 'data.mdb')).size,
  };
}

/** A script's first process looks like its worker until it has become its command: the first counts. */
function partsOf(tree: readonly number[]): Map<string, number> {
  const parts = new Map<string, number>();
  for (const pid of tree) {
    const name = partName(wordsOf(pid));
    if (name !== undefined && !parts.has(name)) parts.set(name, pid);
  }
  return parts;
}

function partName(words: readonly string[]): string | undefined {
  if (words.includes('--serve')) return 'fork server';
  const place = words.findIndex((word) => word.endsWith('bin/scriptd'));
  const command = place < 0 ? undefined : words[place + 1];
  const worker = words.find((word) => word.startsWith('--name='))?.slice('--name='.length);
  return command === 'worker' ? `worker ${worker}` : command;
}

/** Where runs mount something; other programs of this host mount elsewhere meanwhile. */
const placesOfRuns = ['/', '/work', '/tmp', '/dev', '/dev/shm', '/proc', '/scriptd'];

function isOfRuns(point: string, dataDir: string): boolean {
  return placesOfRuns.includes(point) || point.startsWith(dataDir);
}

/** Of all its workers, in all hierarchies, their own included. */
function cgroupsOf(dataDir: string): number {
  const work = join(dataDir, 'work');
  const names = readdirSync(work).map((worker) => cgroupName(worker, join(work, worker)));
  const own = readOwn();
  const folders = readMounts().flatMap((mount) => {
    const keys = mount.version === 2 ? [''] : mount.controllers;
    const paths = keys.flatMap((key) => own.get(key) ?? []);
    // Of version 2 the parts may have moved to a leaf beside it.
    return paths.flatMap((path) => [folderOf(mount, path), join(folderOf(mount, path), '..')]);
  });
  const places = new Set(folders.flatMap((folder) => names.map((name) => join(folder, name))));
  return [...places].reduce((sum, place) => sum + foldersIn(place), 0);
}

/** The folder itself and all below it. One that is being removed meanwhile is none. */
function foldersIn(folder: string): number {
  let count = 1;
  for (const entry of entriesOf(folder)) {
    if (entry.isDirectory()) count += foldersIn(join(folder, entry.name));
  }
  return existsSync(folder) ? count : 0;
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENODEV') return [];
    throw error;
  }
}
