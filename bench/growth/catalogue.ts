import { clients } from './clients.js';
import { code } from './code.js';
import type { Growth } from './growth.js';
import { output } from './output.js';
import { pending } from './pending.js';
import { workers } from './workers.js';

/** Every plot, in the order of docs/GROWTH.md. */
export const growths: readonly Growth[] = [pending, workers, code, output, clients];
