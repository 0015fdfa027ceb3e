import { join } from 'node:path';
import { packageRoot } from '../../native.js';

/** Where this package keeps the programs that interpreters wait in for their script. */
export const bootstraps = join(packageRoot, 'runtimes');
