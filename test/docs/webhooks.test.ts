import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { packageRoot } from '../../src/native.js';
import { secretBytes } from '../../src/webhook.js';
import { signatureHeaders } from '../../src/webhooks/signature.js';
import { temporaryFolder } from '../store/fixtures.js';

const api = readFileSync(join(packageRoot, 'docs', 'API.md'), 'utf8');
const secret = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;

function documented(language: string): string {
  const code = new RegExp(`\`\`\`${language}\n([\\s\\S]*?verified[\\s\\S]*?)\`\`\``).exec(api)?.[1];
  if (code === undefined) throw new Error(`API.md has no example in ${language}`);
  return code;
}

/** What is sent, and what somebody else might make of it. */
function cases() {
  const body = '{"type":"task.finished","data":{"stdout":"é"}}';
  const nowS = Math.floor(Date.now() / 1000);
  const keys = [Buffer.alloc(24, 1), secretBytes(secret) ?? Buffer.alloc(0)];
  const signed = (timestampS: number, by = keys) =>
    signatureHeaders({ id: 'task-x-1', timestampS, body }, by);
  return [
    [true, signed(nowS), body],
    [true, signed(nowS, keys.slice(1)), body],
    [false, signed(nowS, keys.slice(0, 1)), body],
    [false, signed(nowS), `${body} `],
    [false, { ...signed(nowS), 'webhook-id': 'task-x-2' }, body],
    [false, signed(nowS - 3_600), body],
    [false, signed(nowS + 3_600), body],
    [false, { ...signed(nowS), 'webhook-timestamp': 'x' }, body],
    [false, { ...signed(nowS), 'webhook-signature': 'v1,é' }, body],
  ] as const;
}

t.test('the example in Python knows what is genuine', (t) => {
  const all = cases();
  const told = `
import json, sys
for secret, headers, body in json.load(sys.stdin):
    print(json.dumps(verified(secret, headers, body.encode())))
`;
  const input = JSON.stringify(all.map(([, headers, body]) => [secret, headers, body]));
  const program = documented('python') + told;
  const { stdout, stderr } = spawnSync('python3', ['-c', program], { input, encoding: 'utf8' });
  t.equal(stderr, '');
  t.same(
    stdout.trim().split('\n'),
    all.map(([genuine]) => String(genuine)),
  );
  t.end();
});

t.test('the example in Node knows what is genuine', async (t) => {
  const file = join(temporaryFolder(t), 'verify.mjs');
  writeFileSync(file, documented('js'));
  const { verified } = (await import(pathToFileURL(file).href)) as {
    verified(secret: string, headers: Record<string, string>, body: Buffer): boolean;
  };
  for (const [genuine, headers, body] of cases()) {
    t.equal(verified(secret, headers, Buffer.from(body)), genuine, JSON.stringify(headers));
  }
});
