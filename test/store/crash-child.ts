import { LmdbStore } from '../../src/store/lmdb/store.js';
import { submission, success } from './fixtures.js';

/**
 * Writes tasks until it is killed, and says on stdout what was acknowledged, one line each:
 * `s ID` submitted, `c ID` claimed, `f ID` finished.
 */
const [directory = '', durability = 'fsync'] = process.argv.slice(2);
const store = new LmdbStore({
  directory,
  durability: durability === 'os' ? 'os' : 'fsync',
});
process.stdout.write('ready\n');

async function live(): Promise<void> {
  for (;;) {
    const batch = Array.from({ length: 1 + Math.floor(Math.random() * 20) }, () =>
      submission({ tags: ['t'] }, { code: 'x'.repeat(Math.floor(Math.random() * 5_000)) }),
    );
    const ids = batch.map(({ view }) => view.id);
    await store.submit(batch);
    say('s', ids);
    const attempt = { attempt: 1, worker: 'w', startedAt: 2 };
    await store.claim(ids.map((taskId) => ({ taskId, attempt })));
    say('c', ids);
    const half = ids.slice(ids.length / 2);
    const finishedAt = Date.now();
    await store.complete(half.map((taskId) => success(taskId, finishedAt, 'y'.repeat(2_000))));
    say('f', half);
  }
}

function say(what: string, ids: readonly string[]): void {
  process.stdout.write(ids.map((id) => `${what} ${id}\n`).join(''));
}

await Promise.all([live(), live(), live()]);
