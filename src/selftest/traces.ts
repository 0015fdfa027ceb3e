import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { folderOf, readMounts, readOwn } from '../worker/cgroup/mounts.js';
import { cgroupName } from '../worker/isolation.js';

/** What runs could leave on this host; the same before as after. Counts, except for the lists. */
export interface Traces {
  /** Processes held ready. */
  ready: number;
  /** Processes that descend from this one, zombies included. */
  processes: number;
  /** Open descriptors of this process. */
  descriptors: number;
  /** Where a run mounts something, and in the worker's folder: others mount elsewhere meanwhile. */
  mounts: number;
  /** Of the worker's runs, in all hierarchies. */
  cgroups: number;
  /** In the worker's folder of work directories. */
  directories: number;
  /** System V objects of this host, /proc/sysvipc. */
  ipc: number;
  temporary: readonly string[];
  sharedMemory: readonly string[];
}

/** Who runs what leaves traces. */
export interface Suspect {
  /** Name of the worker, which runs in this process. */
  name: string;
  workDirectory: string;
  /** Processes that it holds ready for further tasks; they have traces of their own. */
  ready(): number;
}

/** What there was before, and how much more of it one process that is held ready makes. */
export interface Measure {
  before: Traces;
  perReady: Partial<Record<keyof Traces, number>>;
}

export function takeTraces({ name, workDirectory, ready }: Suspect): Traces {
  const files = (folder: string) => (existsSync(folder) ? readdirSync(folder).sort() : []);
  return {
    ready: ready(),
    processes: descendants(process.pid),
    descriptors: readdirSync('/proc/self/fd').length,
    mounts: mountsAt(workDirectory),
    cgroups: cgroupsOf(cgroupName(name, workDirectory)),
    directories: readdirSync(workDirectory).length,
    ipc: ['shm', 'sem', 'msg'].map(objects).reduce((sum, count) => sum + count, 0),
    temporary: files('/tmp').filter((file) => file.startsWith('scriptd-left')),
    sharedMemory: files('/dev/shm').filter((file) => file.startsWith('scriptd-left')),
  };
}

const pauseMs = 20;

/**
 * Waits until the traces are those of before, since removals go on after a result.
 *
 * @returns what is still different after `waitMs`: one sentence each
 */
export async function lastingTraces(
  suspect: Suspect,
  { before, perReady }: Measure,
  waitMs: number,
): Promise<string[]> {
  const endsAtMs = performance.now() + waitMs;
  for (;;) {
    const now = takeTraces(suspect);
    const wanted = (key: keyof Traces) => {
      const then = before[key];
      const more = (perReady[key] ?? 0) * (now.ready - before.ready);
      return typeof then === 'number' ? then + more : then;
    };
    const changed = (Object.keys(before) as (keyof Traces)[]).filter(
      (key) => key !== 'ready' && JSON.stringify(now[key]) !== JSON.stringify(wanted(key)),
    );
    if (changed.length === 0) return [];
    if (performance.now() > endsAtMs) {
      return changed.map((key) => `${key}: ${now[key]}, expected ${wanted(key)}`);
    }
    await delay(pauseMs);
  }
}

/** The traces once they have not changed for a while. */
export async function calmTraces(suspect: Suspect, calmMs: number): Promise<Traces> {
  let traces = takeTraces(suspect);
  let sinceMs = performance.now();
  while (performance.now() - sinceMs < calmMs) {
    await delay(pauseMs);
    const now = takeTraces(suspect);
    if (JSON.stringify(now) === JSON.stringify(traces)) continue;
    traces = now;
    sinceMs = performance.now();
  }
  return traces;
}

/**
 * Measures before and what is ready, by two calm moments between which `change` makes another number
 * of processes be held ready.
 */
export async function measure(
  suspect: Suspect,
  calmMs: number,
  change: () => Promise<unknown>,
): Promise<Measure> {
  const first = await calmTraces(suspect, calmMs);
  await change();
  const before = await calmTraces(suspect, calmMs);
  const more = before.ready - first.ready;
  const keys = ['processes', 'descriptors', 'cgroups', 'directories'] as const;
  const slope = (key: (typeof keys)[number]) => (before[key] - first[key]) / more;
  const perReady = Object.fromEntries(keys.map((key) => [key, more === 0 ? 0 : slope(key)]));
  return { before, perReady };
}

const placesOfRuns = ['/', '/work', '/tmp', '/dev', '/dev/shm', '/proc', '/scriptd'];

/** See proc(5): the fifth field is the mount point. */
function mountsAt(workDirectory: string): number {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n');
  const points = lines.map((line) => line.split(' ')[4] ?? '');
  return points.filter((at) => placesOfRuns.includes(at) || at.startsWith(workDirectory)).length;
}

function descendants(pid: number): number {
  let count = 0;
  for (const child of childrenOf(pid)) count += 1 + descendants(child);
  return count;
}

/** Of all threads; none when it has ended meanwhile. */
function childrenOf(pid: number): number[] {
  const folder = `/proc/${pid}/task`;
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((thread) => {
    const path = join(folder, thread, 'children');
    if (!existsSync(path)) return [];
    return readFileSync(path, 'utf8').split(' ').filter(Boolean).map(Number);
  });
}

function cgroupsOf(name: string): number {
  const own = readOwn();
  let count = 0;
  for (const mount of readMounts()) {
    const keys = mount.version === 2 ? [''] : mount.controllers;
    for (const key of keys) {
      const path = own.get(key);
      if (path === undefined) continue;
      const folder = folderOf(mount, path);
      // Of version 2 its parts may have moved to a leaf beside it.
      for (const place of [join(folder, name), join(folder, '..', name)]) {
        if (existsSync(place)) {
          count += readdirSync(place).filter((entry) => entry.startsWith('run-')).length;
        }
      }
    }
  }
  return count;
}

/** Lines after the header. */
function objects(kind: string): number {
  const path = `/proc/sysvipc/${kind}`;
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n').length - 1 : 0;
}
