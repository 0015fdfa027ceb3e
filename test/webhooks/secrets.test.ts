import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readWebhookSecrets } from '../../src/webhooks/secrets.js';
import { temporaryFolder } from '../store/fixtures.js';

t.test('a secret is made once, for its owner only', async (t) => {
  const path = join(temporaryFolder(t), 'webhook-secret');
  t.throws(() => readWebhookSecrets(path, { create: false }), { code: 'TOKEN_UNREADABLE' });
  const [key, ...more] = readWebhookSecrets(path, { create: true });
  t.equal(key?.length, 32);
  t.same(more, []);
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.same(readWebhookSecrets(path, { create: true }), [key]);
  t.match(readFileSync(path, 'utf8'), /^whsec_\S{44}\n$/);
});

t.test('an empty file is what a full disk left of one: a secret is made', async (t) => {
  const path = join(temporaryFolder(t), 'webhook-secret');
  writeFileSync(path, '');
  t.throws(() => readWebhookSecrets(path, { create: false }), { code: 'BAD_CONFIG' });
  const keys = readWebhookSecrets(path, { create: true });
  t.equal(keys[0]?.length, 32);
  t.same(readWebhookSecrets(path, { create: true }), keys);
});

t.test('a file has one secret a line, and nothing else', async (t) => {
  const path = join(temporaryFolder(t), 'secrets');
  const secret = (byte: number) => `whsec_${Buffer.alloc(24, byte).toString('base64')}`;
  writeFileSync(path, `${secret(1)}\n\n ${secret(2)} \n`);
  const keys = readWebhookSecrets(path, { create: false });
  t.same(keys, [Buffer.alloc(24, 1), Buffer.alloc(24, 2)]);
  for (const text of ['', 'guess\n', `${secret(1)}\nguess\n`, `${secret(1)}\n`.repeat(5)]) {
    writeFileSync(path, text);
    const misconfigured = { code: 'BAD_CONFIG', message: /openssl/ };
    t.throws(() => readWebhookSecrets(path, { create: false }), misconfigured);
  }
});
