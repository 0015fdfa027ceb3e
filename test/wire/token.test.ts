import {
  chmodSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readWireToken } from '../../src/wire/token.js';
import { temporaryFolder } from '../store/fixtures.js';

t.test('a token is made once, for its owner only', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'wire-token');
  t.throws(() => readWireToken(path, { create: false }), { code: 'TOKEN_UNREADABLE' });
  const token = readWireToken(path, { create: true });
  t.match(readFileSync(path, 'utf8'), /^[0-9a-f]{64}\n$/);
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.same(readWireToken(path, { create: true }), token);
  t.same(readdirSync(folder), ['wire-token'], 'nothing else is left');
});

t.test('an empty file is what a power cut left of one: a token is made', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'wire-token');
  writeFileSync(path, '', { mode: 0o644 });
  t.throws(() => readWireToken(path, { create: false }), { code: 'TOKEN_WEAK' });
  const token = readWireToken(path, { create: true });
  t.equal(token.length, 64);
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.same(readWireToken(path, { create: true }), token);
  t.same(readdirSync(folder), ['wire-token']);
});

t.test('what somebody put there stays as it is', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'wire-token');
  writeFileSync(path, 'too short\n');
  t.throws(() => readWireToken(path, { create: true }), { code: 'TOKEN_WEAK' });
  t.equal(readFileSync(path, 'utf8'), 'too short\n');
  const link = join(folder, 'link');
  writeFileSync(join(folder, 'empty'), '');
  chmodSync(join(folder, 'empty'), 0o640);
  symlinkSync('empty', link);
  t.throws(() => readWireToken(link, { create: true }), { code: 'TOKEN_WEAK' });
  t.equal(statSync(link).mode & 0o777, 0o640);
  const nowhere = join(folder, 'nowhere');
  symlinkSync('gone', nowhere);
  t.throws(() => readWireToken(nowhere, { create: true }), { code: 'TOKEN_UNREADABLE' });
});
