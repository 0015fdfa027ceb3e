import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { followTokenFile, readTokens } from '../../src/http/token-file.js';
import { tokenDigest } from '../../src/http/token-text.js';
import { until } from '../cli/service.js';
import { assertProblem, silentLog, startDaemon } from './daemon.js';
import { linesLog } from './log-lines.js';
import { bearer, sampleToken } from './token-samples.js';

const plain = 'a-token-of-the-tests-0123456789';
const other = 'another-token-of-the-tests-4567';

function fileOf(t: Test, ...lines: (string | object)[]): string {
  const path = join(t.testdir(), 'tokens');
  write(path, ...lines);
  return path;
}

function write(path: string, ...lines: (string | object)[]): void {
  const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)));
  writeFileSync(path, text.join('\n'), { mode: 0o600 });
}

t.test('records and tokens in plain text are read, side by side', async (t) => {
  const made = sampleToken({ scopes: ['read'], group: 'büro', expiresAt: '2030-01-01T00:00:00Z' });
  const path = fileOf(t, '# for the tests', '', `  ${plain}  \r`, made.record, other);
  const tokens = readTokens(path, silentLog);
  t.equal(tokens.size, 3);
  t.match(tokens.find(made.token), {
    id: made.record.id,
    scopes: ['read'],
    group: 'büro',
    expiresAtMs: Date.UTC(2030, 0),
  });
  for (const token of [plain, other]) t.same(tokens.find(token)?.scopes, ['admin'], 'every right');
  const known = [made.token, made.record.sha256, '# for the tests', '', made.record.id];
  for (const text of known.slice(1)) t.notOk(tokens.find(text), text);
});

t.test('a file that is not good is refused, and nothing of a token is told', async (t) => {
  const { record } = sampleToken();
  const cases: [(string | object)[], RegExp][] = [
    [[], /holds no token/],
    [['# nothing'], /holds no token/],
    [[plain, 'too-short'], /line 2 the token is shorter than 16/],
    [['has spaces inside it'], /line 1 the token has spaces/],
    [['é'.repeat(20)], /beyond ASCII/],
    [['{"id": secret'], /line 1 there is no valid JSON/],
    [[{ ...record, scopes: [] }], /`scopes`/],
    [[{ ...record, scopes: ['submit', 'write'] }], /must be one of: submit, read, admin/],
    [[{ ...record, scopes: ['read', 'read'] }], /`scopes`/],
    [[{ ...record, scope: ['read'] }], /`scope` is not known; did you mean `scopes`/],
    [[{ ...record, sha256: 'abc' }], /`sha256`/],
    [[{ ...record, sha256: undefined }], /`sha256` is missing/],
    [[{ ...record, name: 'a\u001b[2J' }], /`name`/],
    [[{ ...record, group: '' }], /`group`/],
    [[{ ...record, group: 'ä'.repeat(100) }], /`group` is longer than 128 bytes/],
    [[{ ...record, group: 'a', scopes: ['admin'] }], /scope admin is for the whole service/],
    [[{ ...record, rate: { perSecond: 0, burst: 1 } }], /`rate.perSecond`/],
    [[{ ...record, rate: { perSecond: 1, burst: 0.5 } }], /`rate.burst`/],
    [[{ ...record, expiresAt: 'tomorrow' }], /`expiresAt` must be a time/],
    [[record, record], /line 2 the id .* is there twice/],
    [[record, { ...record, id: 'other' }], /line 2 the name .* is there twice/],
    [['#'.repeat(5_000_000)], /is longer than/],
  ];
  for (const [lines, message] of cases) {
    const path = fileOf(t, ...lines);
    t.throws(() => readTokens(path, silentLog), { code: 'TOKENS_INVALID', message }, `${message}`);
  }
  try {
    readTokens(fileOf(t, `{"token": "${plain}"`), silentLog);
    t.fail('it was taken');
  } catch (error) {
    t.notMatch(String(error), plain);
  }
  const gone = join(t.testdir(), 'nowhere');
  t.throws(() => readTokens(gone, silentLog), { code: 'TOKENS_UNREADABLE' });
});

t.test('a file that everyone may read is warned of, and so are tokens in plain text', async (t) => {
  const { log, lines } = linesLog();
  const path = fileOf(t, sampleToken().record);
  readTokens(path, log);
  t.same(lines, []);
  chmodSync(path, 0o644);
  readTokens(path, log);
  t.match(lines.splice(0), [{ msg: /chmod 600/ }]);
  chmodSync(path, 0o600);
  write(path, plain, other);
  readTokens(path, log);
  t.match(lines, [{ plain: 2, msg: /scriptd token migrate/ }]);
  t.notMatch(JSON.stringify(lines), plain, 'the token itself is not told');
});

t.test('what changes in the file holds without a restart', async (t) => {
  const first = sampleToken();
  const second = sampleToken({ scopes: ['read'] });
  const path = fileOf(t, first.record);
  const { log, lines } = linesLog();
  const tokens = readTokens(path, log);
  t.teardown(followTokenFile(path, tokens, log));
  const daemon = await startDaemon(t, { tokens });
  const status = async (token: string, path = '/v1/session') =>
    (await daemon.ask({ path, headers: bearer(token) })).status;
  t.equal(await status(first.token), 200);
  t.equal(await status(second.token), 401);

  write(path, first.record, second.record);
  await until('a new token is taken', async () => (await status(second.token)) === 200);
  t.equal(await status(second.token, '/execute?code=1'), 403, 'for what it is for');

  write(path, second.record);
  await until('a revoked token is refused', async () => (await status(first.token)) === 401);
  t.equal(await status(second.token), 200);

  write(path, first.record, '{"half": ');
  await until('a broken file is told of', () =>
    lines.some(({ code }) => code === 'TOKENS_INVALID'),
  );
  t.equal(await status(second.token), 200, 'the ones from before stay');
  t.equal(await status(first.token), 401);

  rmSync(path);
  await until('so is one that is gone', () =>
    lines.some(({ code }) => code === 'TOKENS_UNREADABLE'),
  );
  t.equal(await status(second.token), 200);

  write(path, '# all are revoked');
  await until('nobody comes in any more', async () => (await status(second.token)) === 401);
  t.equal(daemon.controller.received.filter(({ kind }) => kind === 'submit').length, 0);
});

t.test('a token keeps what it has used up of its rate when the file is read again', async (t) => {
  const rate = { perSecond: 0.001, burst: 2 };
  const limited = sampleToken({ rate });
  const path = fileOf(t, limited.record);
  const tokens = readTokens(path, silentLog);
  const daemon = await startDaemon(t, { tokens });
  const ask = () => daemon.ask({ path: '/v1/session', headers: bearer(limited.token) });
  t.equal((await ask()).status, 200);
  tokens.replace([sampleToken().record, limited.record]);
  t.equal((await ask()).status, 200);
  tokens.replace([limited.record]);
  const answer = await ask();
  assertProblem(t, answer, 429, 'RATE_LIMITED');
  t.ok(Number(answer.headers['retry-after']) >= 1);
  tokens.replace([{ ...limited.record, rate: { ...rate, burst: 3 } }]);
  t.equal((await ask()).status, 200, 'a new rate begins anew');
});

t.test('two tokens whose digests begin alike are told apart', async (t) => {
  const one = sampleToken();
  const two = sampleToken({ sha256: tokenDigest(one.token).slice(0, 8) + '0'.repeat(56) });
  const path = fileOf(t, two.record, one.record);
  const tokens = readTokens(path, silentLog);
  t.equal(tokens.find(one.token)?.id, one.record.id);
  t.notOk(tokens.find(two.token));
});
