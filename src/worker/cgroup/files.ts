import { randomBytes } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../../errors.js';

/** Reading and writing the files of a cgroup: small texts, one system call each way. */

export function readNumber(directory: string, file: string): number {
  const text = readFileSync(join(directory, file), 'utf8').trim();
  return text === 'max' ? Number.POSITIVE_INFINITY : Number(text);
}

/** A value of a file of lines `name value`; 0 when it has no such line. */
export function readField(directory: string, file: string, field: string): number {
  return fieldOf(readFileSync(join(directory, file), 'utf8'), field);
}

function fieldOf(lines: string, name: string): number {
  for (const line of lines.split('\n')) {
    if (line.startsWith(`${name} `)) return Number(line.slice(name.length + 1));
  }
  return 0;
}

/** Longer than what is read of any of them. */
const text = Buffer.allocUnsafe(4096);

/** A file that stays open, so that a later read is one system call. */
export class OpenFile {
  readonly #fd: number;

  /** @throws Error of node:fs */
  constructor(directory: string, file: string) {
    this.#fd = openSync(join(directory, file), 'r');
  }

  /** One that this kernel may not have. */
  static ifThere(directory: string, file: string): OpenFile | undefined {
    try {
      return new OpenFile(directory, file);
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  number(): number {
    return Number(this.#read());
  }

  /** As `readField`. */
  field(name: string): number {
    return fieldOf(this.#read(), name);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #read(): string {
    return text.toString('latin1', 0, readSync(this.#fd, text, 0, text.length, 0));
  }
}

export function write(directory: string, file: string, value: string | number): void {
  writeFileSync(join(directory, file), String(value));
}

/** Writes where the kernel has such a file, and says whether it has. */
export function writeIfThere(directory: string, file: string, value: string | number): boolean {
  try {
    // r+: a file that is not there must not be made; a cgroup file system would refuse with EPERM.
    writeFileSync(join(directory, file), String(value), { flag: 'r+' });
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'EACCES') return false;
    throw error;
  }
}

/** Begins the names of a host's runs: one of a predecessor may be busy still, under its name. */
export function runPrefix(): string {
  return `run-${randomBytes(3).toString('hex')}-`;
}

export function make(directory: string): void {
  mkdirSync(directory);
}

/**
 * Kills all processes of a cgroup. As it may have no more of them first, none can fork faster than it
 * is killed.
 *
 * @param directory with the pids controller
 */
export function killAllIn(directory: string): void {
  if (!writeIfThere(directory, 'pids.max', 0)) return;
  for (const line of readFileSync(join(directory, 'cgroup.procs'), 'utf8').split('\n')) {
    const pid = Number(line);
    // 0: of a pid namespace that is not below ours. kill(2) would take it for our own group.
    if (pid > 1) killIfThere(pid, 'SIGKILL');
  }
}

/** Sends a signal to a process, unless it is gone. */
export function killIfThere(pid: number, signal: 'SIGSTOP' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error;
  }
}

/** Removes an empty cgroup. One that is gone already is fine. */
export function remove(directory: string): void {
  try {
    rmdirSync(directory);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

/** The same; false when something runs in it, or in one below it. */
export function removeIfEmpty(directory: string): boolean {
  try {
    remove(directory);
    return true;
  } catch (error) {
    if (errorCode(error) !== 'EBUSY') throw error;
    return false;
  }
}

/** Removes the cgroups that an earlier worker of this name left, as far as they are empty. */
export function removeEmptyChildren(directory: string): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    // What something runs in still stays for the next.
    if (entry.isDirectory()) removeIfEmpty(join(directory, entry.name));
  }
}
