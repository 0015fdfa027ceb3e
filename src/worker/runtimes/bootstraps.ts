import { fileURLToPath } from 'node:url';

/** Where this package keeps the programs that interpreters wait in for their script. */
export const bootstraps = fileURLToPath(new URL('../../../../runtimes', import.meta.url));
