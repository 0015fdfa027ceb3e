import { existsSync } from 'node:fs';
import type { ProcessRuntime } from './runtimes/runtime.js';

/** What a program needs of the host to run at all. */
const systemPaths = [
  '/usr',
  '/bin',
  '/sbin',
  '/lib',
  '/lib32',
  '/lib64',
  '/etc/alternatives',
  '/etc/ld.so.cache',
  '/etc/ld.so.conf',
  '/etc/ld.so.conf.d',
  '/etc/localtime',
  '/etc/mime.types',
  '/etc/nsswitch.conf',
  '/etc/ssl',
];

/** Folders with more in them than an interpreter: never shown to a script as a whole. */
const tooWide = new Set(
  '/ /dev /dev/shm /etc /home /opt /proc /root /run /srv /sys /tmp /var /var/tmp /work'.split(' '),
);

/**
 * The paths of this host that a script of this runtime may read and execute, those of them that are
 * there: the system's and the interpreter's. None lies below another.
 */
export function visiblePaths(runtime: Pick<ProcessRuntime, 'file' | 'prefixes'>): string[] {
  // A program that lies openly in such a folder comes alone.
  const prefixes = runtime.prefixes.map((path) => (tooWide.has(path) ? runtime.file : path));
  return withoutNested([...systemPaths, ...prefixes].filter(existsSync));
}

function withoutNested(paths: readonly string[]): string[] {
  const unique = [...new Set(paths)].sort();
  return unique.filter((path) => !unique.some((other) => path.startsWith(`${other}/`)));
}
