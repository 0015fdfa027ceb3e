import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { checkStore } from '../../src/store/lmdb/check.js';
import { openForReading } from '../../src/store/lmdb/environment.js';
import { temporaryFolder } from './fixtures.js';
import { lostOf, Writer } from './writer.js';

const rounds = 10;

for (const durability of ['fsync', 'os'] as const) {
  t.test(`a process that is killed loses nothing acknowledged (${durability})`, async (t) => {
    const directory = temporaryFolder(t);
    const acknowledged = new Map<string, string>();
    for (let round = 0; round < rounds; round++) {
      const writer = await Writer.start(directory, acknowledged, { durability });
      while (acknowledged.size === 0) await sleep(1);
      await sleep(20 + Math.random() * 150);
      await writer.kill();
      const reading = openForReading(directory);
      t.same(checkStore(reading).problems.slice(0, 3), [], 'everything is whole');
      await reading.root.close();
    }
    t.same(
      (await lostOf(directory, acknowledged)).slice(0, 3),
      [],
      `${acknowledged.size} were acknowledged`,
    );
  });
}
