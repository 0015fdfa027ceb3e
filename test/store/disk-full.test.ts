import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { checkStore } from '../../src/store/lmdb/check.js';
import { openForReading } from '../../src/store/lmdb/environment.js';
import { LmdbStore } from '../../src/store/lmdb/store.js';
import { submission, success, temporaryFolder, unfinishedIds } from './fixtures.js';

const isRoot = process.getuid?.() === 0;

t.test(
  'a full disk: refused clearly, reads go on, nothing refused is there, and it recovers',
  { skip: isRoot ? false : 'a file system can be mounted by root only' },
  async (t) => {
    const mount = temporaryFolder(t);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'scriptd-test', mount]);
    t.teardown(() => execFileSync('umount', [mount]));
    const directory = join(mount, 'store');
    const store = new LmdbStore({ directory, durability: 'fsync' });
    const acknowledged: string[] = [];
    const refused: string[] = [];
    const submit = async (count: number) => {
      const batch = Array.from({ length: count }, () =>
        submission({}, { code: 'x'.repeat(3_000) }),
      );
      const ids = batch.map(({ view }) => view.id);
      try {
        await store.submit(batch);
        acknowledged.push(...ids);
        return undefined;
      } catch (error) {
        refused.push(...ids);
        return error;
      }
    };

    let error: unknown;
    while (!error) error = await submit(100);
    t.match(error, { name: 'ScriptdError', code: 'STORE_FULL', message: /no room is left/ });
    // Calls of one turn share a commit, and its end.
    const [one, other] = await Promise.all([submit(200), submit(200)]);
    t.match([one, other], [{ code: 'STORE_FULL' }, { code: 'STORE_FULL' }]);
    t.same(await unfinishedIds(store), acknowledged, 'reads go on');
    t.equal((await store.readSpec(acknowledged[0] ?? ''))?.code.length, 3_000);
    t.equal(store.stats().pending, acknowledged.length);

    execFileSync('mount', ['-o', 'remount,size=32m', mount]);
    t.equal(await submit(200), undefined, 'with room again it writes');
    await store.complete([success(acknowledged[0] ?? '')]);
    await store.close();

    const reading = openForReading(directory);
    t.same(checkStore(reading).problems, [], 'everything is whole');
    await reading.root.close();
    const again = new LmdbStore({ directory, durability: 'fsync' });
    t.same(await unfinishedIds(again), acknowledged.slice(1));
    const views = await Promise.all(refused.map((id) => again.readView(id)));
    t.ok(refused.length >= 500 && views.every((view) => view === undefined), 'nothing refused');
    await again.close();
  },
);

t.test(
  'a file system that is read-only, or full from the start, is told at the start',
  { skip: isRoot ? false : 'a file system can be mounted by root only' },
  async (t) => {
    const mount = temporaryFolder(t);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'scriptd-test', mount]);
    t.teardown(() => execFileSync('umount', [mount]));
    const open = () => new LmdbStore({ directory: join(mount, 'store'), durability: 'fsync' });
    t.throws(open, { name: 'ScriptdError', code: 'STORE_READ_ONLY' });
    execFileSync('mount', ['-o', 'remount,rw,size=4k', mount]);
    t.throws(open, { name: 'ScriptdError', code: 'STORE_FULL' });
  },
);
