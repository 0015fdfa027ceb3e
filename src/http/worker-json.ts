import type { WorkerReport } from '../wire/reports.js';
import { timeText } from './time-text.js';

/** A worker as answers show it. */
export function workerJson({ heardAt, connectedAt, pool, ...worker }: WorkerReport) {
  return {
    ...worker,
    heardAt: timeText(heardAt),
    connectedAt: timeText(connectedAt),
    ...(pool && { pool }),
  };
}
