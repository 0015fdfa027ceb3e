import t from 'tap';
import { checkStore } from '../../src/store/lmdb/check.js';
import { openEnvironment, openForReading } from '../../src/store/lmdb/environment.js';
import { migrations, schemaVersion } from '../../src/store/lmdb/migrations.js';
import { LmdbStore } from '../../src/store/lmdb/store.js';
import { lmdbStore, submission, success, unfinishedIds } from './fixtures.js';

t.test('every version before this one has its migration', async (t) => {
  for (let version = 1; version < schemaVersion; version++) t.ok(migrations.has(version));
  t.equal(migrations.size, schemaVersion - 1);
});

t.test('an older store is brought up, step by step, each step whole', async (t) => {
  const { directory, open } = lmdbStore(t);
  const task = submission();
  const store = open();
  await store.submit([task]);
  await store.close();

  const steps: string[] = [];
  const key = Buffer.from('migrated');
  const schema = {
    version: schemaVersion + 2,
    migrations: new Map([
      [
        schemaVersion,
        (_root: unknown, { meta, tasks }: Parameters<Parameters<typeof migrate>[0]>[1]) => {
          steps.push(`1, knows ${tasks.get(task.view.id)?.view.id}`);
          meta.put(key, Buffer.from('from 1'));
        },
      ],
      [
        schemaVersion + 1,
        (_root: unknown, { meta }: Parameters<Parameters<typeof migrate>[0]>[1]) => {
          steps.push(`2, ${meta.get(key)}`);
          if (steps.length === 2) throw new Error('fails the first time');
          meta.put(key, Buffer.from('from 2'));
        },
      ],
    ]),
  };
  const openNewer = () => openEnvironment({ directory, durability: 'fsync', schema });
  t.throws(openNewer, { code: 'STORE_FAILED', message: /fails the first time/ });
  const environment = openNewer();
  t.same(
    steps,
    [`1, knows ${task.view.id}`, '2, from 1', '2, from 1'],
    'the first is not repeated',
  );
  t.equal(environment.databases.meta.get(key)?.toString(), 'from 2');
  await environment.root.close();

  const newer = {
    name: 'ScriptdError',
    code: 'STORE_VERSION',
    message: new RegExp(`version ${schemaVersion + 2} .* newer`),
  };
  t.throws(open, newer, 'what a newer one wrote is refused');
  t.throws(() => openForReading(directory), newer);
});

/** Only for its type. */
function migrate(
  _: (root: never, databases: ReturnType<typeof openEnvironment>['databases']) => void,
) {
  return undefined;
}

t.test('a store of version 1 is brought up by who writes it, and not by who reads', async (t) => {
  const schema = { version: 1, migrations: new Map() };
  const [{ directory, open }, other] = [lmdbStore(t), lmdbStore(t)];
  for (const place of [directory, other.directory]) {
    const { root } = openEnvironment({ directory: place, durability: 'fsync', schema });
    // lmdb-js hangs where one is closed in the very turn in which it was opened.
    await root.flushed;
    await root.close();
  }
  t.throws(() => openForReading(other.directory), { code: 'STORE_VERSION', message: /once/ });
  const store = open();
  const told = submission({ webhook: { origin: 'https://a.test' } });
  await store.submit([told]);
  await store.complete([success(told.view.id)]);
  t.match(await store.readDelivery(told.view.id), { state: 'due' });
  await store.close();
  const reading = openForReading(directory);
  t.same(checkStore(reading).problems, []);
  await reading.root.close();
});

t.test('a second process that opens it for writing takes it over', async (t) => {
  const { directory, open } = lmdbStore(t);
  let told = 0;
  const onTaken = () => {
    told += 1;
  };
  const first = new LmdbStore({ directory, durability: 'fsync', onTaken });
  t.teardown(() => first.close());
  const [a, b] = [submission(), submission()];
  await first.submit([a]);
  const second = open();
  await t.rejects(first.submit([submission()]), { code: 'STORE_TAKEN' });
  await t.rejects(first.submit([submission()]), { code: 'STORE_TAKEN' });
  t.equal(told, 1, 'whoever opened it is told so, once');
  await second.submit([b]);
  t.same(await unfinishedIds(second), [a.view.id, b.view.id]);
  await second.close();
  const reading = openForReading(directory);
  t.same(checkStore(reading).problems, []);
  await reading.root.close();
});

t.test('a folder without a store is not taken for one', async (t) => {
  const { directory } = lmdbStore(t);
  t.throws(() => openForReading(directory), { code: 'STORE_MISSING' });
});
