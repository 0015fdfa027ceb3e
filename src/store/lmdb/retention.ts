import { lmdbStoreLimits, storeLimits } from '../limits.js';
import type { Changes } from './changes.js';
import type { Databases } from './databases.js';
import { sequenceOf, timeOf } from './keys.js';
import { forget, readCounts, writeCounts } from './tasks.js';

export interface Retention {
  /** How long a finished task is kept, from its end. */
  retentionMs: number;
  /** Of specs and results of finished tasks together; the oldest ends go first. */
  retentionBytes: number;
}

export interface Swept {
  /** How many finished tasks went. */
  removed: number;
  /** Those of them whose webhook was still to be told. */
  undelivered: string[];
}

/**
 * Takes away the finished tasks that are too old or too much, oldest end first, at most one small
 * commit's worth. Dead letters are finished tasks like others, and so are those whose webhook has not
 * been told: a receiver that does not answer must not fill the disk.
 */
export function sweepTasks(
  changes: Changes,
  databases: Databases,
  { retentionMs, retentionBytes }: Retention,
  nowMs: number,
): Swept {
  const counts = readCounts(changes);
  const undelivered: string[] = [];
  let removed = 0;
  for (const key of databases.endings.getKeys({ limit: lmdbStoreLimits.sweepTasksMax })) {
    const isOld = timeOf(key) + retentionMs <= nowMs;
    if (!isOld && counts.finishedBytes <= retentionBytes) break;
    const sequence = sequenceOf(key);
    const row = changes.get('finished', sequence);
    // Sent again in this very commit.
    if (!row) continue;
    if (forget(changes, counts, sequence, row)) undelivered.push(row.id);
    removed += 1;
  }
  if (removed > 0) writeCounts(changes, counts);
  return { removed, undelivered };
}

/** Takes away idempotency keys that no longer stand for a task. @returns how many went */
export function sweepKeys(changes: Changes, databases: Databases, nowMs: number): number {
  let removed = 0;
  for (const key of databases.keyTimes.getKeys({ limit: lmdbStoreLimits.sweepTasksMax })) {
    if (timeOf(key) + storeLimits.idempotencyKeyMs > nowMs) break;
    // Held anew in this very commit.
    if (!changes.get('keyTimes', key)) continue;
    changes.remove('keyTimes', key);
    changes.remove('keys', key.subarray(8));
    removed += 1;
  }
  return removed;
}
