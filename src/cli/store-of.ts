import type { Config } from '../config/settings.js';
import type { Log } from '../log.js';
import type { TaskStore } from '../store/port.js';
import type { Layout } from './layout.js';

/**
 * The store that the configuration asks for, open for writing. `onTaken`: another process has opened
 * it, and nothing can be written any more.
 *
 * @throws ScriptdError STORE_VERSION, STORE_READ_ONLY, STORE_FULL, STORE_CORRUPT, STORE_FAILED
 */
export async function storeOf(
  config: Config,
  layout: Layout,
  { onTaken, log }: { onTaken: () => void; log: Log },
): Promise<TaskStore> {
  const { durability, retentionMs, retentionBytes } = config;
  const onUndelivered = (taskIds: string[]) => {
    const text = `the retention removed ${taskIds.length} tasks before their webhooks were told`;
    log.warn({ tasks: taskIds }, text);
  };
  if (durability === 'memory') {
    const { MemoryStore } = await import('../store/memory.js');
    return new MemoryStore({ onUndelivered });
  }
  const { LmdbStore } = await import('../store/lmdb/store.js');
  return new LmdbStore({
    directory: layout.storeDir,
    ...{ durability, retentionMs, retentionBytes },
    onTaken,
    onUndelivered,
    onJournalFailed: (err) => log.warn({ err }, 'the store goes on without its journal: slower'),
    onSweepFailed: (err) => log.error({ err }, 'finished tasks could not be removed'),
  });
}
