import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { checkStore } from '../../src/store/lmdb/check.js';
import { openForReading } from '../../src/store/lmdb/environment.js';
import { isUsed, journalsOf, temporaryFolder } from './fixtures.js';
import { lostOf, Writer } from './writer.js';

/*
 * A power cut leaves what the last completed flush made last, and any part of what was written
 * since. LMDB goes by its newest meta page: what that leads to must have been flushed before it was
 * written (second test), and must be all that was acknowledged, whatever else stands in the file
 * (first test: the writer is stopped wherever it is, also between its pages and the meta page).
 */

t.test('the file as it is at any moment has all that was acknowledged', async (t) => {
  const folder = temporaryFolder(t);
  const directory = join(folder, 'store');
  const acknowledged = new Map<string, string>();
  const writer = await Writer.start(directory, acknowledged);
  t.teardown(() => writer.kill());
  for (let round = 0; round < 10; round++) {
    await sleep(5 + Math.random() * 60);
    const expected = new Map(acknowledged);
    const copy = join(folder, `copy-${round}`);
    mkdirSync(copy);
    await writer.frozen(() => {
      for (const name of readdirSync(directory)) {
        if (name !== 'lock.mdb') copyFileSync(join(directory, name), join(copy, name));
      }
    });
    const reading = openForReading(copy);
    t.same(checkStore(reading).problems.slice(0, 3), [], 'the copy is whole');
    await reading.root.close();
    t.same(
      (await lostOf(copy, expected)).slice(0, 3),
      [],
      `${expected.size} tasks were acknowledged`,
    );
  }
});

const strace = spawnSync('strace', ['-V']).status === 0;
t.test(
  'what a commit writes is flushed before its meta page is written, and that with O_DSYNC',
  { skip: strace ? false : 'strace is not installed' },
  async (t) => {
    const folder = temporaryFolder(t);
    const log = join(folder, 'strace');
    const calls = 'trace=openat,pwrite64,pwritev,writev,fdatasync,fsync,msync';
    const command = ['strace', '-f', '-y', '-e', calls, '-e', 'signal=none', '-s', '0', '-o', log];
    const acknowledged = new Map<string, string>();
    const writer = await Writer.start(join(folder, 'store'), acknowledged, { command });
    const store = join(folder, 'store');
    const usesJournal = () => journalsOf(store).some((name) => isUsed(join(store, name)));
    // It is made off the event loop.
    while (!usesJournal()) await sleep(10);
    const before = acknowledged.size;
    while (acknowledged.size < before + 2_000) await sleep(10);
    await writer.kill();
    const events = readFileSync(log, 'utf8').split('\n').flatMap(eventOf);
    // The first meta pages are those of a new file, which holds nothing.
    let unflushed = 0;
    let commits = 0;
    let records = 0;
    for (const event of events) {
      if (event === 'page') unflushed += 1;
      if (event === 'flushed') unflushed = 0;
      if (event === 'record') records += 1;
      if (event !== 'meta') continue;
      commits += 1;
      if (unflushed > 0) t.fail(`${unflushed} pages were not flushed before a meta page`);
    }
    t.ok(commits >= 10, `${commits} commits were seen`);
    t.ok(records >= 10, `${records} records of the journal were seen, each with O_DSYNC`);
  },
);

let metaDescriptor: string | undefined;
/** Files are made through others. */
const journalDescriptors = new Set<string>();

/** What a line of strace tells. A call that takes long has two lines; the second is its end. */
function eventOf(line: string): ('page' | 'flushed' | 'meta' | 'record')[] {
  const opened = /openat\(.*data\.mdb".*O_DSYNC.*\) = (\d+)/.exec(line);
  if (opened) metaDescriptor = opened[1];
  const journal = /openat\(.*journal-.*O_DSYNC.*\) = (\d+)/.exec(line)?.[1];
  if (journal) journalDescriptors.add(journal);
  const record = /pwrite64\((\d+)<[^>]*journal-/.exec(line)?.[1];
  if (record && journalDescriptors.has(record)) return ['record'];
  if (/fdatasync.*= 0$/.test(line)) return ['flushed'];
  const written = /(?:pwrite64|pwritev|writev)\((\d+)<[^>]*data\.mdb>/.exec(line);
  if (!written) return [];
  return written[1] === metaDescriptor ? ['meta'] : ['page'];
}
