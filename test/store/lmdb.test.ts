import t, { type Test } from 'tap';
import { lmdbStore } from './fixtures.js';
import { listSuite } from './list-suite.js';
import { storeSuite } from './suite.js';

for (const durability of ['fsync', 'os'] as const) {
  t.test(`durability ${durability}`, async (t) => {
    const open = (t: Test) => lmdbStore(t, { durability }).open();
    storeSuite(t, open);
    listSuite(t, open);
  });
}
