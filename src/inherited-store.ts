import { closeSync, readdirSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { errorCode } from './errors.js';

/** As LMDB calls the file of its data. */
const dataFile = 'data.mdb';

/**
 * Closes the store's data where whoever started this process has left it open for it: LMDB opens
 * its file so that programs which its process starts inherit it, for reading and writing. What runs
 * scripts or talks to strangers has no use for it, and would keep the space of a store that is gone.
 * Called before anything else is opened.
 */
export function closeInheritedStore(): void {
  for (const name of readdirSync('/proc/self/fd')) {
    if (basename(targetOf(name)) === dataFile) closeSync(Number(name));
  }
}

/** What is open there; nothing when it is closed by now, as that of the list itself is. */
function targetOf(descriptor: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`).replace(/ \(deleted\)$/, '');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return '';
    throw error;
  }
}
