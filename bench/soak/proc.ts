import { readdirSync, readFileSync } from 'node:fs';

/** Source of all of this: proc(5). What has ended meanwhile has no threads, words or descriptors. */

/** Of processes that may end while they are looked at. */
function orNone<T>(look: () => T, none: T): T {
  try {
    return look();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return none;
    throw error;
  }
}

/** The process and all that descend from it, zombies included. */
export function treeOf(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(treeOf)];
}

/** Those that any of its threads has started. */
function childrenOf(pid: number): number[] {
  const threads = orNone(() => readdirSync(`/proc/${pid}/task`), []);
  return threads.flatMap((thread) =>
    textOf(`/proc/${pid}/task/${thread}/children`).split(' ').filter(Boolean).map(Number),
  );
}

/** Its command line. Empty: it is a zombie, or gone. */
export function wordsOf(pid: number): string[] {
  return textOf(`/proc/${pid}/cmdline`).split('\0').slice(0, -1);
}

export interface Held {
  /** Of its own, without pages of files. Bytes. */
  anonymousBytes: number;
  descriptors: number;
  threads: number;
}

export function heldBy(pid: number): Held {
  const status = textOf(`/proc/${pid}/status`);
  const figure = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
  return {
    anonymousBytes: figure('RssAnon') * 1024,
    descriptors: orNone(() => readdirSync(`/proc/${pid}/fd`).length, 0),
    threads: figure('Threads'),
  };
}

/** Where it sees file systems mounted. */
export function mountPointsOf(pid: number): string[] {
  const lines = textOf(`/proc/${pid}/mountinfo`).split('\n').filter(Boolean);
  return lines.map((line) => line.split(' ')[4] ?? '');
}

function textOf(path: string): string {
  return orNone(() => readFileSync(path, 'utf8'), '');
}
