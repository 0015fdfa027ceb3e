import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { v7 as uuidv7 } from 'uuid';
import { packageRoot } from '../../src/native.js';
import { checkStore } from '../../src/store/lmdb/check.js';
import { openEnvironment, openForReading } from '../../src/store/lmdb/environment.js';
import { encode } from '../../src/store/lmdb/records.js';
import { LmdbStore } from '../../src/store/lmdb/store.js';
import { newDelivery, webhookShapeLimits } from '../../src/webhook.js';
import { messageMisfit } from '../../src/wire/messages.js';
import {
  crashed,
  everyTask,
  plain,
  submission,
  success,
  temporaryFolder,
  unfinishedIds,
  useJournal,
} from './fixtures.js';

function scriptd(args: readonly string[]) {
  const bin = join(packageRoot, 'bin', 'scriptd');
  // tap's own options are not for it.
  const command = ['-u', 'NODE_OPTIONS', bin, 'store', ...args];
  return spawnSync('env', command, { encoding: 'utf8', maxBuffer: 2 ** 26 });
}

/** A data folder whose store has tasks in every state, a key and a document. */
async function filled(t: Test) {
  const dataDir = temporaryFolder(t);
  const store = new LmdbStore({ directory: join(dataDir, 'store'), durability: 'fsync' });
  const webhook = { url: 'https://a.test/done', secret: `whsec_${'A'.repeat(32)}` };
  const all = [
    submission({ tags: ['x'] }, { stdin: Buffer.from([0, 255]), idempotencyKey: 'k' }),
    submission({ group: 'g' }),
    submission(),
    submission({ webhook: { origin: 'https://a.test' } }, { webhook }),
  ];
  await store.submit(all);
  const ids = all.map(({ view }) => view.id);
  const attempt = { attempt: 1, worker: 'w', startedAt: 2_000 };
  await store.claim(ids.slice(1, 3).map((taskId) => ({ taskId, attempt })));
  await store.complete([success(ids[2] ?? ''), { ...success(ids[3] ?? ''), deadLetter: true }]);
  await store.putDocument({ kind: 'paused', id: 'bash', value: { since: 1 } });
  return { dataDir, store, ids };
}

async function contents(store: LmdbStore) {
  const tasks = await everyTask(store, { limit: 10 });
  const views = await Promise.all(tasks.map(({ id }) => store.readView(id)));
  const specs = await Promise.all(tasks.map(({ id }) => store.readSpec(id)));
  const records = [];
  for await (const chunk of store.unfinished()) records.push(...chunk);
  const owed = [];
  for await (const chunk of store.owedDeliveries({ from: 0, to: 1e9 })) owed.push(...chunk);
  const deliveries = await Promise.all(tasks.map(({ id }) => store.readDelivery(id)));
  const { fileBytes: _, ...stats } = store.stats();
  const paused = await store.listDocuments('paused');
  return plain({ views, specs, records, owed, deliveries, stats, paused });
}

t.test('what is exported, also while it is being written, is imported as it was', async (t) => {
  const { dataDir, store, ids } = await filled(t);
  // A list has what has been written in the databases, where another process reads.
  const before = await contents(store);
  const exported = scriptd(['export', '--data-dir', dataDir]);
  t.match(exported, { status: 0, stderr: '' });
  await store.close();
  t.match(scriptd(['check', '--data-dir', dataDir]), {
    status: 0,
    stdout: '4 tasks, 1 documents: whole\n',
  });

  const other = temporaryFolder(t);
  const file = join(other, 'export.ndjson');
  writeFileSync(file, exported.stdout);
  t.match(scriptd(['import', file, '--data-dir', other]), {
    status: 0,
    stdout: '4 tasks, 1 documents\n',
  });
  t.match(scriptd(['check', '--data-dir', other, '--json']), {
    status: 0,
    stdout: /"problems":\[\]/,
  });
  const copy = new LmdbStore({ directory: join(other, 'store'), durability: 'fsync' });
  t.teardown(() => copy.close());
  t.same(await contents(copy), before);
  const keyed = submission({ createdAt: 1_500 }, { idempotencyKey: 'k' });
  t.same(await copy.submit([keyed]), [{ existing: ids[0] }], 'the key came with it');
  await copy.close();

  t.match(scriptd(['import', file, '--data-dir', other]), {
    status: 1,
    stderr: /line 2: task .* is in the store already/,
  });
  const twice = scriptd(['export', file, '--data-dir', other]);
  t.match(twice, { status: 1, stderr: /EEXIST/ }, 'no file is overwritten');
  t.equal(readFileSync(file, 'utf8'), exported.stdout);
});

t.test('characters at which others end lines are escaped, and end none in an import', async (t) => {
  const dataDir = temporaryFolder(t);
  const store = new LmdbStore({ directory: join(dataDir, 'store'), durability: 'fsync' });
  // Each is three bytes: some are where a chunk of the file ends.
  const code = `print("a\u2028b\u2029c\r\n")${'\u2028ü\u2029'.repeat(50_000)}`;
  const task = submission({}, { code });
  await store.submit([task]);
  await store.putDocument({ kind: 'paused', id: 'bash', value: { reason: code } });
  await store.close();
  const exported = scriptd(['export', '--data-dir', dataDir]);
  t.match(exported, { status: 0, stderr: '' });
  t.notOk(/[\u2028\u2029]/.test(exported.stdout));
  t.ok(exported.stdout.includes('a\\u2028b\\u2029c'));

  const raw = exported.stdout.replaceAll('\\u2028', '\u2028').replaceAll('\\u2029', '\u2029');
  for (const text of [exported.stdout, raw, raw.replaceAll('\n', '\r\n'), raw.slice(0, -1)]) {
    const root = temporaryFolder(t);
    const file = join(root, 'in');
    writeFileSync(file, text);
    const imported = scriptd(['import', file, '--data-dir', root]);
    t.match(imported, { status: 0, stdout: '1 tasks, 1 documents\n' });
    const copy = new LmdbStore({ directory: join(root, 'store'), durability: 'fsync' });
    t.ok((await copy.readSpec(task.view.id))?.code === code);
    t.ok((await copy.listDocuments('paused'))[0]?.id === 'bash');
    await copy.close();
  }
});

t.test('an origin that is longer than messages take is shown by its beginning', async (t) => {
  // As versions before took it.
  const origin = `https://${'a.'.repeat(900)}test`;
  const shown = { origin: origin.slice(0, webhookShapeLimits.originCharactersMax) };
  const dataDir = temporaryFolder(t);
  const directory = join(dataDir, 'store');
  const first = new LmdbStore({ directory, durability: 'fsync' });
  const [a, b] = [submission({ webhook: { origin } }), submission({ webhook: { origin } })];
  await first.submit([a, b]);
  await first.complete([success(a.view.id)]);
  await first.close();

  const other = temporaryFolder(t);
  const file = join(other, 'export.ndjson');
  const exported = scriptd(['export', '--data-dir', dataDir]).stdout;
  t.notMatch(exported, origin);
  writeFileSync(file, exported.replaceAll(shown.origin, origin));
  t.match(scriptd(['import', file, '--data-dir', other]), { status: 0, stderr: '' });
  for (const place of [directory, join(other, 'store')]) {
    const store = new LmdbStore({ directory: place, durability: 'fsync' });
    t.teardown(() => store.close());
    const tasks = await everyTask(store, { limit: 10 });
    t.match(tasks, [{ webhook: shown }, { webhook: shown }]);
    t.equal(messageMisfit({ kind: 'page', requestId: 1, tasks }), undefined);
    t.match(await store.readView(a.view.id), { webhook: shown });
  }
});

t.test('what is no export is refused, with the line', async (t) => {
  const dataDir = temporaryFolder(t);
  const file = join(dataDir, 'in');
  const begin = '{"kind":"store","version":1}\n';
  for (const [text, message] of [
    ['', /line 1/],
    ['nonsense\n', /line 1 .*not JSON/],
    ['{"kind":"store","version":99}\n', /version 1, 2 or 3/],
    [`${begin}{"kind":"task"}\n`, /line 2 .*missing/],
    [`${begin}{"kind":"other"}\n`, /line 2 .*`kind`/],
    [begin + begin, /line 2 .*another export/],
  ] as const) {
    writeFileSync(file, text);
    t.match(scriptd(['import', file, '--data-dir', dataDir]), { status: 1, stderr: message });
  }
});

t.test('nothing is imported while a controller runs', async (t) => {
  const dataDir = temporaryFolder(t);
  mkdirSync(join(dataDir, 'run'));
  const server = createServer();
  await new Promise<void>((resolve) =>
    server.listen(join(dataDir, 'run/controller.sock'), resolve),
  );
  t.teardown(() => server.close());
  // The kernel accepts for a server that is not asked; spawnSync blocks this loop.
  const refused = scriptd(['import', '/dev/null', '--data-dir', dataDir]);
  t.match(refused, { status: 1, stderr: /a controller runs at .*: stop it first/ });
});

t.test('a store that is not whole is told so, in every way that it can be', async (t) => {
  type Environment = ReturnType<typeof openEnvironment>;
  const damages: [string, (environment: Environment, ids: string[]) => unknown, RegExp][] = [
    [
      'a spec is gone',
      ({ databases }, [id = '']) => databases.specs.remove(id),
      /spec of no bytes/,
    ],
    [
      'a result is gone',
      ({ databases }, ids) => databases.results.remove(ids[2] ?? ''),
      /result of no/,
    ],
    ['a row is gone', ({ databases }) => databases.pending.remove(1), /has no row/],
    ['a head is gone', ({ databases }, [id = '']) => databases.tasks.remove(id), /own number/],
    [
      'an index has too little',
      ({ databases }) => databases.facets.clearSync(),
      /missing in an index/,
    ],
    ['endings are gone', ({ databases }) => databases.endings.clearSync(), /has no ending/],
    [
      'counts are gone',
      ({ databases }) => databases.meta.remove(Buffer.from('counts')),
      /kept as 0/,
    ],
    ['a delivery is gone', ({ databases }) => databases.deliveries.clearSync(), /no delivery/],
    ['what is owed is gone', ({ databases }) => databases.owed.clearSync(), /would not be made/],
    [
      'a delivery is of nobody',
      ({ databases }, [id = '']) => databases.deliveries.put(id, encode(newDelivery(1))),
      /did not end then/,
    ],
    ['a key lost its time', ({ databases }) => databases.keyTimes.clearSync(), /has no time/],
    [
      'a spec is of nobody',
      ({ databases }) => databases.specs.put(uuidv7(), Buffer.from([1])),
      /which is not there/,
    ],
  ];
  for (const [name, damage, problem] of damages) {
    const { dataDir, store, ids } = await filled(t);
    await store.close();
    const directory = join(dataDir, 'store');
    const environment = openEnvironment({ directory, durability: 'fsync' });
    await damage(environment, ids);
    // lmdb-js hangs where one is closed in the very turn in which it was opened.
    await environment.root.flushed;
    await environment.root.close();
    const reading = openForReading(directory);
    t.match(checkStore(reading).problems.join('\n'), problem, name);
    await reading.root.close();
    if (damage !== damages[0]?.[1]) continue;
    t.match(scriptd(['check', '--data-dir', dataDir]), { status: 1, stdout: problem });
  }
});

t.test('commits that only the journal has are told of, until a start brings them in', async (t) => {
  const { dataDir, store } = await filled(t);
  const directory = join(dataDir, 'store');
  await useJournal(store, directory);
  await store.submit([submission()]);
  const root = temporaryFolder(t);
  renameSync(crashed(t, directory), join(root, 'store'));
  const check = () => scriptd(['check', '--data-dir', root]);
  const left = /\d+ commits are in its journal only.*Start it once/;
  t.match(check(), { status: 0, stdout: /whole/, stderr: left });
  await new LmdbStore({ directory: join(root, 'store'), durability: 'fsync' }).close();
  t.match(check(), { status: 0, stdout: /whole/, stderr: '' });
  await store.close();
});

t.test('readers beside a writer see whole states', async (t) => {
  const { dataDir, store } = await filled(t);
  let isWriting = true;
  const writing = (async () => {
    while (isWriting) {
      const batch = Array.from({ length: 50 }, () => submission({ tags: ['t'] }));
      await store.submit(batch);
      await store.complete(batch.map(({ view }) => success(view.id)));
    }
  })();
  for (let round = 0; round < 10; round++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    const reading = openForReading(join(dataDir, 'store'));
    t.same(checkStore(reading).problems.slice(0, 3), []);
    await reading.root.close();
  }
  isWriting = false;
  await writing;
  t.ok((await unfinishedIds(store)).length >= 2);
  await store.close();
});
