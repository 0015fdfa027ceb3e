import t from 'tap';
import { lmdbStore } from './fixtures.js';
import { storeSuite } from './suite.js';

for (const durability of ['fsync', 'os'] as const) {
  t.test(`durability ${durability}`, async (t) => {
    storeSuite(t, (t) => lmdbStore(t, { durability }).open());
  });
}
