import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { lmdbStoreLimits } from '../../src/store/limits.js';
import { checkStore } from '../../src/store/lmdb/check.js';
import { openForReading } from '../../src/store/lmdb/environment.js';
import { zeroBytes } from '../../src/store/lmdb/journal.js';
import { fileNameOf, leftIn } from '../../src/store/lmdb/journal-files.js';
import { blockBytes, RecordWriter, readRecord } from '../../src/store/lmdb/journal-record.js';
import { Layer } from '../../src/store/lmdb/layer.js';
import { LmdbStore } from '../../src/store/lmdb/store.js';
import {
  crashed,
  fill,
  journalsOf,
  lmdbStore,
  submission,
  success,
  temporaryFolder,
  unfinishedIds,
  useJournal,
} from './fixtures.js';
import { lostOf, Writer } from './writer.js';

const salt = Buffer.from('saltsalt');

function record(value: string, number: number, round = 1, ownSalt = salt): Buffer {
  const layer = new Layer();
  layer.set('meta', { key: Buffer.from(`key ${number}`), value: Buffer.from(value) });
  layer.set('pending', { key: 7, value: undefined });
  const place = { salt: ownSalt, round, number, flushed: true };
  return Buffer.from(new RecordWriter().write(layer, place));
}

/** A folder with one journal of epoch 1. */
function folderWith(t: Parameters<typeof temporaryFolder>[0], ...records: Buffer[]): string {
  const folder = temporaryFolder(t);
  const bytes = Buffer.concat([...records, Buffer.alloc(blockBytes)]);
  writeFileSync(join(folder, 'journal-1-0'), bytes);
  return folder;
}

/** Values of the commits that an opening would bring in. */
function valuesIn(folder: string, position = { round: 0, number: 0 }): string[] {
  const { commits } = leftIn(folder, { epoch: 1, position, salts: new Map([[1, salt]]) });
  return commits.map((changes) => [...changes][0]?.bytes?.toString() ?? '');
}

t.test('a record is read as it was written, and takes whole blocks', async (t) => {
  const bytes = record('x'.repeat(5_000), 3);
  t.equal(bytes.length, 2 * blockBytes);
  t.match(readRecord(bytes, 0, salt), { round: 1, number: 3, flushed: true, end: bytes.length });
  const [put, removed] = [
    ...(leftIn(folderWith(t, record('v', 0)), {
      ...{ epoch: 1, position: { round: 0, number: 0 }, salts: new Map([[1, salt]]) },
    }).commits[0] ?? []),
  ];
  t.same(put, { name: 'meta', key: Buffer.from('key 0'), bytes: Buffer.from('v') });
  t.same(removed, { name: 'pending', key: 7, bytes: undefined });
  for (const at of [0, 5, 13, 17, 21, 25, 40, 5_000]) {
    const damaged = Buffer.from(bytes);
    damaged[at] = (damaged[at] ?? 0) ^ 1;
    t.equal(readRecord(damaged, 0, salt), undefined, `byte ${at}`);
  }
});

t.test(
  'of a journal counts what the databases may not have, up to its last whole record',
  async (t) => {
    const whole = [record('a', 0), record('b', 1), record('c', 2)];
    t.same(valuesIn(folderWith(t, ...whole)), ['a', 'b', 'c']);
    t.same(valuesIn(folderWith(t, ...whole), { round: 1, number: 2 }), ['c']);
    t.same(valuesIn(folderWith(t, ...whole), { round: 2, number: 0 }), []);
    const torn = record('d'.repeat(9_000), 3).fill(0, 2 * blockBytes);
    t.same(valuesIn(folderWith(t, ...whole, torn)), ['a', 'b', 'c'], 'a torn end');
    const older = [record('old', 1, 0), record('old', 2, 0)];
    t.same(
      valuesIn(folderWith(t, record('new', 0), ...older)),
      ['new'],
      'a file that is used again',
    );
  },
);

t.test('two files are read in the order in which they were written', async (t) => {
  const folder = folderWith(t, record('later', 0, 2));
  writeFileSync(join(folder, 'journal-1-1'), record('sooner', 0, 1));
  t.same(valuesIn(folder), ['sooner', 'later']);
});

t.test('damage before the end is told, not taken for the end', async (t) => {
  const damaged = record('b', 1).fill(1, 30, 40);
  const folder = folderWith(t, record('a', 0), damaged, record('c', 2));
  const fault = {
    code: 'STORE_CORRUPT',
    message: /journal-1-0 is damaged at byte 4096, .*move all files/,
  };
  t.throws(() => valuesIn(folder), fault);
  const headless = folderWith(t, record('a', 0).fill(0), record('b', 1));
  t.throws(() => valuesIn(headless), { code: 'STORE_CORRUPT', message: /byte 0/ });
});

t.test('a journal that is removed while it is looked for is not missed', async (t) => {
  const folder = folderWith(t);
  // As whoever closes the store removes it, beside whoever opens it.
  const script = `
    const fs = require('node:fs');
    for (;;) { fs.writeFileSync(process.argv[1], ''); fs.rmSync(process.argv[1]); }`;
  const remover = spawn(process.execPath, ['-e', script, join(folder, 'journal-1-1')]);
  t.teardown(async () => {
    const gone = once(remover, 'exit');
    remover.kill('SIGKILL');
    await gone;
  });
  let [seen, commits] = [0, 0];
  while (seen < 200) {
    commits += valuesIn(folder).length;
    if (journalsOf(folder).length > 1) seen += 1;
    await setImmediate();
  }
  t.equal(commits, 0);
});

t.test('what somebody sent is not taken for a record', async (t) => {
  const forged = record('forged', 1, 1, Buffer.from('guessed!'));
  t.same(valuesIn(folderWith(t, record('a', 0), forged)), ['a']);
});

for (const durability of ['fsync', 'os'] as const) {
  t.test(`what only the journal has is there after a crash (${durability})`, async (t) => {
    const { directory, open } = lmdbStore(t, { durability });
    const store = open();
    await useJournal(store, directory);
    const [a, b] = [submission({ tags: ['t'] }), submission()];
    await store.submit([a, b]);
    await store.claim([{ taskId: a.view.id, attempt: { attempt: 1, worker: 'w', startedAt: 2 } }]);
    await store.complete([success(a.view.id)]);
    const copy = crashed(t, directory);
    const again = new LmdbStore({ directory: copy, durability });
    t.match(await again.readView(a.view.id), { state: 'finished', stdout: Buffer.from('out') });
    t.match(await again.readView(b.view.id), { state: 'pending' });
    t.match((await again.query({ tag: 't', limit: 10 })).tasks, [{ id: a.view.id }]);
    t.same(again.stats(), { ...store.stats(), fileBytes: again.stats().fileBytes });
    await again.close();
    t.same(journalsOf(copy), [], 'nothing of it is left once the databases have it');
    const reading = openForReading(copy);
    t.same(checkStore(reading).problems, []);
    await reading.root.close();
  });
}

t.test('the journal goes on in its other file, and the first again', async (t) => {
  const { directory, open } = lmdbStore(t);
  const store = open();
  await useJournal(store, directory);
  const ids: string[] = [];
  const code = 'x'.repeat(500_000);
  while (ids.length < (3 * lmdbStoreLimits.journalBytes) / code.length) {
    const task = submission({}, { code });
    await store.submit([task]);
    ids.push(task.view.id);
  }
  t.equal(journalsOf(directory).length, 2);
  const again = new LmdbStore({ directory: crashed(t, directory), durability: 'fsync' });
  const there = await unfinishedIds(again);
  t.same(there.slice(-ids.length), ids);
  for (const id of ids) t.equal((await again.readSpec(id))?.code.length, code.length);
  await again.close();
});

t.test('a commit that is larger than the journal is durable all the same', async (t) => {
  const { directory, open } = lmdbStore(t);
  const store = open();
  await useJournal(store, directory);
  const [before, large, after] = [
    submission(),
    submission({}, { stdin: Buffer.alloc(lmdbStoreLimits.journalBytes) }),
    submission(),
  ];
  for (const task of [before, large, after]) await store.submit([task]);
  const again = new LmdbStore({ directory: crashed(t, directory), durability: 'fsync' });
  const ids = [before, large, after].map(({ view }) => view.id);
  t.same((await unfinishedIds(again)).slice(-3), ids);
  await again.close();
});

t.test('whoever has lost the store can write into its journal, and is not believed', async (t) => {
  const { directory, open } = lmdbStore(t);
  let told = 0;
  const onTaken = () => {
    told += 1;
  };
  const first = new LmdbStore({ directory, durability: 'fsync', onTaken });
  t.teardown(() => first.close());
  await useJournal(first, directory);
  const second = open();
  await useJournal(second, directory);
  const [lost, kept] = [submission(), submission()];
  await t.rejects(first.submit([lost]), { code: 'STORE_TAKEN' });
  await second.submit([kept]);
  t.equal(told, 1);
  const again = new LmdbStore({ directory: crashed(t, directory), durability: 'fsync' });
  t.equal((await unfinishedIds(again)).at(-1), kept.view.id);
  t.equal(await again.readView(lost.view.id), undefined);
  await again.close();
});

const strace = spawnSync('strace', ['-V']).status === 0;
t.test(
  'a journal whose disk fails is done without, and nothing is lost by it',
  { skip: strace ? false : 'strace is not installed' },
  async (t) => {
    const folder = temporaryFolder(t);
    const directory = join(folder, 'store');
    const log = join(folder, 'strace');
    const files = [0, 1].flatMap((number) => ['-P', join(directory, fileNameOf(1, number))]);
    // So many make the two files, if one thread makes them; some records come after that.
    const inject = `inject=pwrite64:error=EIO:when=${(2 * lmdbStoreLimits.journalBytes) / zeroBytes + 8}+`;
    const command = ['strace', '-f', '-e', 'trace=pwrite64', '-e', inject, ...files, '-o', log];
    const acknowledged = new Map<string, string>();
    const writer = await Writer.start(directory, acknowledged, { command });
    const failed = () => readFileSync(log, 'utf8').includes('INJECTED');
    while (!failed()) await sleep(10);
    const before = acknowledged.size;
    while (acknowledged.size < before + 200) await sleep(10);
    await writer.kill();
    t.same((await lostOf(directory, acknowledged)).slice(0, 3), [], `${acknowledged.size} tasks`);
  },
);

t.test('files of a journal that cannot be made are told of, and done without', async (t) => {
  const { directory } = lmdbStore(t);
  mkdirSync(join(directory, fileNameOf(1, 0)), { recursive: true });
  const told: unknown[] = [];
  const onJournalFailed = (error: unknown) => told.push(error);
  const store = new LmdbStore({ directory, durability: 'fsync', onJournalFailed });
  const task = submission();
  await store.submit([task]);
  while (told.length === 0) await store.submit([submission()]);
  t.match(told, [{ code: 'EISDIR' }]);
  t.equal((await unfinishedIds(store))[0], task.view.id);
  await store.close();
});

t.test(
  'a file of the journal that cannot be made takes no room',
  { skip: strace ? false : 'strace is not installed' },
  async (t) => {
    const folder = temporaryFolder(t);
    const directory = join(folder, 'store');
    const log = join(folder, 'strace');
    // Counted for each thread by itself; the sixteen writes of a file are of up to four.
    const inject = 'inject=pwrite64:error=EDQUOT:when=2+';
    const file = ['-P', join(directory, fileNameOf(1, 0))];
    const command = ['strace', '-f', '-e', 'trace=pwrite64', '-e', inject, ...file, '-o', log];
    const writer = await Writer.start(directory, new Map(), { command });
    while (!readFileSync(log, 'utf8').includes('INJECTED')) await sleep(10);
    while (journalsOf(directory).length > 0) await sleep(20);
    t.pass('nothing of it is left');
    await writer.kill();
  },
);

t.test(
  'where a checkpoint finds no room, nothing acknowledged is lost, and it comes later',
  { skip: process.getuid?.() === 0 ? false : 'a file system can be mounted by root only' },
  async (t) => {
    const mount = temporaryFolder(t);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'scriptd-test', mount]);
    t.teardown(() => execFileSync('umount', [mount]));
    const directory = join(mount, 'store');
    const store = new LmdbStore({ directory, durability: 'fsync' });
    await useJournal(store, directory);
    const task = submission({}, { code: 'x'.repeat(100_000) });
    await store.submit([task]);
    const filler = join(mount, 'filler');
    fill(filler);
    await t.rejects(store.query({ limit: 10 }), { code: 'STORE_FULL' });
    await t.rejects(store.submit([submission()]), { code: 'STORE_FULL' });
    t.equal((await store.readSpec(task.view.id))?.code.length, 100_000, 'it is read');
    truncateSync(filler, 0);
    t.equal((await store.query({ limit: 1 })).tasks[0]?.id, task.view.id);
    await store.close();
    const reading = openForReading(directory);
    t.same(checkStore(reading).problems, []);
    await reading.root.close();
  },
);
