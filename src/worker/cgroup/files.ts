import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../../errors.js';

/** Reading and writing the files of a cgroup: small texts, one system call each way. */

export function readNumber(directory: string, file: string): number {
  const text = readFileSync(join(directory, file), 'utf8').trim();
  return text === 'max' ? Number.POSITIVE_INFINITY : Number(text);
}

/** A value of a file of lines `name value`; 0 when it has no such line. */
export function readField(directory: string, file: string, field: string): number {
  const text = readFileSync(join(directory, file), 'utf8');
  for (const line of text.split('\n')) {
    if (line.startsWith(`${field} `)) return Number(line.slice(field.length + 1));
  }
  return 0;
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

export function make(directory: string): void {
  mkdirSync(directory);
}

/** Removes an empty cgroup. One that is gone already is fine. */
export function remove(directory: string): void {
  try {
    rmdirSync(directory);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

/** Removes the cgroups that an earlier worker of this name left, as far as they are empty. */
export function removeEmptyChildren(directory: string): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    try {
      remove(join(directory, entry.name));
    } catch (error) {
      // EBUSY: something runs in it still, and it stays for the next.
      if (errorCode(error) !== 'EBUSY') throw error;
    }
  }
}
