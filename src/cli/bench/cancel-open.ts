import type { Scriptd } from '../../client/index.js';
import { errorCode } from '../../errors.js';
import { benchLimits } from './limits.js';

/**
 * Cancels the tasks of a tag that have not finished, and waits until they have.
 *
 * @throws what `list` and `cancel` throw
 */
export async function cancelOpen(client: Scriptd, tag: string): Promise<void> {
  for (const state of ['pending', 'running'] as const) {
    // One list for all of them: who is free takes the next.
    const tasks = client.list({ tag, state });
    const work = async () => {
      for (let next = await tasks.next(); !next.done; next = await tasks.next())
        await cancel(client, next.value.id);
    };
    await Promise.all(Array.from({ length: benchLimits.cancelsAtOnce }, work));
  }
}

async function cancel(client: Scriptd, id: string): Promise<void> {
  try {
    await client.cancel(id);
  } catch (error) {
    // It was quicker.
    if (errorCode(error) !== 'ALREADY_FINISHED') throw error;
  }
}
