import type { Config } from '../config/settings.js';
import { parseAddress } from '../poll/address.js';
import type { Reading } from '../store/lmdb/environment.js';
import { answersAt } from './answers-at.js';
import { layoutOf } from './layout.js';

/**
 * The store of an installation, for reading; whether that runs or not. What a running one has is up to
 * its last checkpoint, half a second ago at most. Says so on stderr when nothing runs and commits were
 * left in the journal, which only the next start brings in.
 *
 * @throws ScriptdError STORE_MISSING, STORE_VERSION, STORE_CORRUPT, STORE_FAILED
 */
export async function openedForReading(config: Config): Promise<Reading> {
  const { openForReading } = await import('../store/lmdb/environment.js');
  const { leftIn } = await import('../store/lmdb/journal-files.js');
  const { readJournalState } = await import('../store/lmdb/journal-state.js');
  const { storeDir, controllerAddress } = layoutOf(config);
  const reading = openForReading(storeDir);
  if (await answersAt(parseAddress(controllerAddress))) return reading;
  const { commits } = leftIn(storeDir, readJournalState(reading.databases.meta));
  if (commits.length > 0) {
    process.stderr.write(
      `scriptd was not stopped in order: ${commits.length} commits are in its journal only, and not in ` +
        'what follows. Start it once, which brings them in.\n',
    );
  }
  return reading;
}
