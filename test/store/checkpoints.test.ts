import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { lmdbStoreLimits } from '../../src/store/limits.js';
import { Checkpoints } from '../../src/store/lmdb/checkpoints.js';
import { type Environment, openEnvironment } from '../../src/store/lmdb/environment.js';
import { Layer } from '../../src/store/lmdb/layer.js';
import { LmdbStore } from '../../src/store/lmdb/store.js';
import {
  crashed,
  fill,
  isUsed,
  journalsOf,
  lmdbStore,
  submission,
  temporaryFolder,
  unfinishedIds,
  useJournal,
} from './fixtures.js';

t.test('a commit that comes while a checkpoint begins is there after a crash', async (t) => {
  // Not `fsync`: a record is written at once then, and all that follows is microtasks.
  const { directory, open } = lmdbStore(t, { durability: 'os' });
  const store = open();
  await useJournal(store, directory);
  for (let turns = 0; turns < 12; turns++) {
    await store.submit([submission()]);
    const task = submission();
    const submitted = store.submit([task]);
    for (let turn = 0; turn < turns; turn++) await null;
    await Promise.all([submitted, store.query({ limit: 1 })]);
    const again = new LmdbStore({ directory: crashed(t, directory), durability: 'os' });
    t.ok(await again.readView(task.view.id), `the checkpoint came ${turns} turns after it`);
    t.equal(again.stats().pending, store.stats().pending);
    await again.close();
  }
});

t.test('one checkpoint runs at a time, also when the journal is full', async (t) => {
  const directory = join(temporaryFolder(t), 'store');
  const environment = openEnvironment({ directory, durability: 'fsync' });
  const gate = new Gate(environment);
  const checkpoints = checkpointsOf(gate.environment);
  const value = Buffer.alloc(lmdbStoreLimits.journalBytes / 8);
  let written = 0;
  const write = () => {
    const layer = new Layer();
    layer.set('documents', { key: Buffer.from(`key ${written++}`), value });
    return checkpoints.write(layer);
  };
  // Until the second file is begun; the first is free after that.
  while (!areUsed(directory)) await write();
  await checkpoints.checkpoint();
  gate.close();
  // Both files, while the first checkpoint waits.
  for (let i = 0; i < 13; i++) t.equal(await write(), undefined);
  const list = checkpoints.checkpoint();
  const more = [write()];
  gate.open();
  t.same(await Promise.all(more), [undefined]);
  await list;
  t.equal(gate.mostAtOnce, 1);
  await checkpoints.close();
  const keys = [...environment.databases.documents.getKeys({ start: Buffer.from([0]) })];
  t.equal(keys.length, written);
  await environment.root.close();
});

t.test(
  'a list has what came after a checkpoint that failed',
  { skip: process.getuid?.() === 0 ? false : 'a file system can be mounted by root only' },
  async (t) => {
    const mount = temporaryFolder(t);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'scriptd-test', mount]);
    t.teardown(() => execFileSync('umount', [mount]));
    const directory = join(mount, 'store');
    const store = new LmdbStore({ directory, durability: 'fsync' });
    await useJournal(store, directory);
    const [before, after] = [submission(), submission()];
    await store.submit([before]);
    const filler = join(mount, 'filler');
    fill(filler);
    await t.rejects(store.query({ limit: 10 }), { code: 'STORE_FULL' });
    truncateSync(filler, 0);
    await store.submit([after]);
    t.same((await unfinishedIds(store)).slice(-2), [before.view.id, after.view.id]);
    await store.close();
  },
);

t.test(
  'a checkpoint for which there may be no room is not begun',
  { skip: process.getuid?.() === 0 ? false : 'a file system can be mounted by root only' },
  async (t) => {
    const mount = temporaryFolder(t);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128m', 'scriptd-test', mount]);
    t.teardown(() => execFileSync('umount', [mount]));
    const directory = join(mount, 'store');
    const store = new LmdbStore({ directory, durability: 'os' });
    const keyed = () => submission({}, { idempotencyKey: randomBytes(100).toString('hex') });
    // In one commit: no page of the file is free after it.
    await store.submit(Array.from({ length: 20_000 }, keyed));
    await useJournal(store, directory);
    await store.query({ limit: 1 });
    const filler = join(mount, 'filler');
    fill(filler);
    truncateSync(filler, statSync(filler).size - 2 * lmdbStoreLimits.fullBelowBytes);
    const many = store.submit(Array.from({ length: 400 }, keyed));
    const fault = await many.then(() => store.query({ limit: 1 })).catch((error) => error);
    t.match(fault, { code: 'STORE_FULL' });
    t.equal(fault.cause, undefined, 'LMDB has not found out');
    truncateSync(filler, 0);
    await store.submit([keyed()]);
    await store.close();
  },
);

t.test('a step that fails leaves no commit to be written', async (t) => {
  const { open } = lmdbStore(t);
  const store = open();
  const task = submission();
  await store.submit([task]);
  const { bytes } = store.commits;
  await t.rejects(store.submit([submission(), task]), /stored twice/);
  await store.close();
  t.equal(store.commits.bytes, bytes);
});

t.test('what is closed during a list or the retention is told so, or has been read', async (t) => {
  for (let turns = 0; turns < 12; turns++) {
    const store = new LmdbStore({ directory: join(temporaryFolder(t), 'store'), durability: 'os' });
    const task = submission();
    await store.submit([task]);
    const listed = unfinishedIds(store).catch(({ code }) => code);
    const swept = store.sweep();
    for (let turn = 0; turn < turns; turn++) await null;
    await store.close();
    const told = await listed;
    t.ok(told === 'STORE_CLOSED' || told[0] === task.view.id, `${told} after ${turns} turns`);
    t.equal(await swept, 0, 'the retention ends without an error');
  }
});

/** Both files of the journal. */
function areUsed(directory: string): boolean {
  const names = journalsOf(directory);
  return names.length === 2 && names.every((name) => isUsed(join(directory, name)));
}

/** An environment whose commits can be made to wait, each still the real one. */
class Gate {
  readonly environment: Environment;
  mostAtOnce = 0;
  #atOnce = 0;
  #opened = Promise.resolve();
  open: () => void = () => undefined;

  constructor(environment: Environment) {
    this.environment = {
      ...environment,
      commit: async (write, position) => {
        this.#atOnce += 1;
        this.mostAtOnce = Math.max(this.mostAtOnce, this.#atOnce);
        await this.#opened;
        const committed = await environment.commit(write, position);
        this.#atOnce -= 1;
        return committed;
      },
    };
  }

  close(): void {
    this.#opened = new Promise((resolve) => {
      this.open = resolve;
    });
  }
}

function checkpointsOf(environment: Environment): Checkpoints {
  const onTaken = () => t.fail('nobody else has opened it');
  const onJournalFailed = (error: unknown) => t.fail('the journal failed', { error });
  return new Checkpoints({ environment, onTaken, onJournalFailed });
}
