import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { followTokenFile, readTokens } from '../../src/http/token-file.js';
import type { TokenRecord } from '../../src/http/token-record.js';
import { Tokens } from '../../src/http/tokens.js';
import { assertProblem, type Daemon, silentLog, startDaemon } from './daemon.js';
import { linesLog } from './log-lines.js';
import { bearer, sampleToken } from './token-samples.js';

const json = { 'content-type': 'application/json' };
const admin = sampleToken({ name: 'ops', scopes: ['admin'] });
const reader = sampleToken({ name: 'reader', scopes: ['read'] });
const shown = ({ sha256: _, ...rest }: TokenRecord) => rest;

async function start(t: Test, ...lines: string[]) {
  const folder = join(t.testdir(), 'tokens.d');
  mkdirSync(folder);
  const tokenFile = join(folder, 'tokens');
  const records = [admin, reader].map(({ record }) => JSON.stringify(record));
  writeFileSync(tokenFile, [...records, ...lines, ''].join('\n'), { mode: 0o600 });
  const tokens = readTokens(tokenFile, silentLog);
  const { log: auditLog, lines: audited } = linesLog();
  const daemon = await startDaemon(t, { tokens, tokenFile, auditLog });
  return { daemon, tokens, tokenFile, folder, audited };
}

const create = ({ ask }: Daemon, body: object | string, token = admin.token) =>
  ask({
    method: 'POST',
    path: '/v1/tokens',
    headers: { ...bearer(token), ...json },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
const revoke = ({ ask }: Daemon, id: string, token = admin.token) =>
  ask({ method: 'DELETE', path: `/v1/tokens/${id}`, headers: bearer(token) });
const list = ({ ask }: Daemon, token = admin.token) =>
  ask({ path: '/v1/tokens', headers: bearer(token) });

t.test('tokens are listed without themselves, and the own one is marked', async (t) => {
  const { daemon } = await start(t, '# a note', 'a-token-in-plain-text-0123456789');
  const answer = await list(daemon);
  t.same(answer.json, {
    tokens: [{ ...shown(admin.record), current: true }, shown(reader.record)],
    plain: 1,
    writable: true,
  });
  t.notMatch(answer.text, /sha256|plain-text/);
  assertProblem(t, await list(daemon, reader.token), 403, 'INSUFFICIENT_SCOPE');
});

t.test('a token that is made is shown once, kept as a digest, and valid at once', async (t) => {
  const { daemon, tokenFile, audited } = await start(t, '# a note');
  const asked = {
    name: 'ci',
    scopes: ['submit', 'read'],
    group: 'büro',
    rate: { perSecond: 2, burst: 5 },
    expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
  };
  const answer = await create(daemon, asked);
  t.equal(answer.status, 201);
  t.equal(answer.headers['cache-control'], 'no-store');
  const { token, ...record } = answer.json;
  t.match(token, /^scriptd_[0-9A-Za-z]{49}$/);
  t.match(record, { ...asked, id: /^[0-9A-Za-z]{8}$/, createdAt: /Z$/ });
  t.notOk('sha256' in record);
  const text = readFileSync(tokenFile, 'utf8');
  t.match(text, '# a note', 'what else is in the file stays');
  t.notMatch(text, String(token));
  const session = await daemon.ask({ path: '/v1/session', headers: bearer(String(token)) });
  t.match(session.json, { name: 'ci', group: 'büro' });
  t.match((await list(daemon)).json.tokens, { length: 3 });
  t.match(audited, [
    {
      ...{ level: 30, msg: 'token created', remote: '127.0.0.1', token: admin.record.id },
      changed: { id: record.id, name: 'ci', scopes: ['submit', 'read'], group: 'büro' },
    },
  ]);
  t.notMatch(JSON.stringify(audited), String(token));
});

t.test('a token that is revoked is refused at once', async (t) => {
  const { daemon, tokenFile, audited } = await start(t);
  const asks = () => daemon.ask({ path: '/v1/session', headers: bearer(reader.token) });
  t.equal((await asks()).status, 200);
  t.equal((await revoke(daemon, reader.record.id)).status, 204);
  assertProblem(t, await asks(), 401, 'UNAUTHORIZED');
  t.notMatch(readFileSync(tokenFile, 'utf8'), reader.record.id);
  assertProblem(t, await revoke(daemon, reader.record.id), 404, 'UNKNOWN_TOKEN');
  t.match(audited[0], {
    ...{ msg: 'token revoked', token: admin.record.id },
    changed: { id: reader.record.id, name: 'reader' },
  });
});

t.test('nobody shuts himself out, and a name is no id', async (t) => {
  const plain = 'a-token-in-plain-text-0123456789';
  const { daemon } = await start(t, plain);
  assertProblem(t, await revoke(daemon, admin.record.id), 409, 'OWN_TOKEN');
  assertProblem(t, await revoke(daemon, 'plain-3', plain), 409, 'OWN_TOKEN');
  for (const id of ['reader', 'plain-1', '__proto__', '%2e%2e', 'x'.repeat(90)]) {
    assertProblem(t, await revoke(daemon, id, plain), 404, 'UNKNOWN_TOKEN');
  }
  t.match((await list(daemon)).json, { tokens: { length: 2 }, plain: 1 });
});

t.test('what cannot be is refused by its field, and changes nothing', async (t) => {
  const { daemon, tokenFile, audited } = await start(t);
  const before = readFileSync(tokenFile, 'utf8');
  const good = { name: 'x', scopes: ['read'] };
  const cases: [object | string, string | undefined][] = [
    [{ scopes: ['read'] }, 'name'],
    [{ name: 'x' }, 'scopes'],
    [{ ...good, name: 'a b' }, 'name'],
    [{ ...good, scopes: [] }, 'scopes'],
    [{ ...good, scopes: ['root'] }, 'scopes.0'],
    [{ ...good, scopes: ['read', 'read'] }, 'scopes'],
    [{ ...good, group: '' }, 'group'],
    [{ ...good, group: 'é'.repeat(100) }, 'group'],
    [{ ...good, scopes: ['admin'], group: 'g' }, 'group'],
    [{ ...good, expiresAt: 'tomorrow' }, 'expiresAt'],
    [{ ...good, expiresAt: '2020-01-01T00:00:00Z' }, 'expiresAt'],
    [{ ...good, rate: { perSecond: 0, burst: 1 } }, 'rate.perSecond'],
    [{ ...good, rate: { perSecond: 1 } }, 'rate.burst'],
    [{ ...good, id: 'mine' }, 'id'],
    [{ ...good, sha256: '0'.repeat(64) }, 'sha256'],
    ['[]', undefined],
    ['null', undefined],
  ];
  for (const [body, field] of cases) {
    const answer = await create(daemon, body);
    t.equal(assertProblem(t, answer, 400, 'INVALID_FIELD').field, field, JSON.stringify(body));
  }
  assertProblem(t, await create(daemon, { ...good, name: 'reader' }), 409, 'TOKEN_EXISTS');
  assertProblem(t, await create(daemon, good, reader.token), 403, 'INSUFFICIENT_SCOPE');
  t.equal(readFileSync(tokenFile, 'utf8'), before);
  t.same(
    audited.filter(({ msg }) => msg !== 'refused'),
    [],
  );
});

t.test('many who change it at once lose nothing', async (t) => {
  const { daemon } = await start(t);
  const names = Array.from({ length: 12 }, (_, index) => `many-${index}`);
  const answers = await Promise.all(
    names.map((name) => create(daemon, { name, scopes: ['read'] })),
  );
  t.same(
    answers.map(({ status }) => status),
    names.map(() => 201),
  );
  const { tokens } = (await list(daemon)).json as { tokens: { name: string }[] };
  t.same(tokens.map(({ name }) => name).sort(), ['ops', 'reader', ...names].sort());
  for (const { json } of answers) {
    const asked = { path: '/v1/session', headers: bearer(String(json.token)) };
    t.equal((await daemon.ask(asked)).status, 200);
  }
});

t.test('who was revoked while he waited for his turn changes nothing any more', async (t) => {
  const other = sampleToken({ name: 'other', scopes: ['admin'] });
  const { daemon, tokenFile } = await start(t, JSON.stringify(other.record));
  const [one, two, made] = await Promise.all([
    revoke(daemon, other.record.id),
    revoke(daemon, admin.record.id, other.token),
    create(daemon, { name: 'late', scopes: ['admin'] }, other.token),
  ]);
  const left = readFileSync(tokenFile, 'utf8');
  t.equal([one, two].filter(({ status }) => status === 204).length, 1, 'one admin is left');
  const [winner, loser] = one.status === 204 ? [admin, other] : [other, admin];
  t.match(left, winner.record.id);
  t.notMatch(left, loser.record.id);
  const late = one.status === 204 ? two : one;
  assertProblem(t, late, 401, 'UNAUTHORIZED');
  t.equal(left.includes('"late"'), made.status === 201);
});

t.test(
  'what the file was when it was being read does not undo what was changed here',
  async (t) => {
    const { daemon, tokens, tokenFile } = await start(t);
    t.teardown(followTokenFile(tokenFile, tokens, silentLog));
    const { json } = await create(daemon, { name: 'x', scopes: ['read'] });
    const asked = { path: '/v1/session', headers: bearer(String(json.token)) };
    const untilMs = performance.now() + 2_500;
    while (performance.now() < untilMs) {
      t.equal((await daemon.ask(asked)).status, 200);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  },
);

t.test('a file that cannot be changed says so, with the cure', async (t) => {
  const { daemon, folder, tokenFile } = await start(t);
  // Also for root, who may write everywhere: there is no folder to write to.
  rmSync(tokenFile);
  assertProblem(t, await list(daemon), 503, 'TOKENS_UNREADABLE');
  rmSync(folder, { recursive: true });
  const answer = await create(daemon, { name: 'x', scopes: ['read'] });
  const { detail } = assertProblem(t, answer, 409, 'TOKENS_UNWRITABLE');
  t.match(detail, /scriptd token create --token-file/);
  assertProblem(t, await revoke(daemon, reader.record.id), 409, 'TOKENS_UNWRITABLE');
  mkdirSync(folder);
  writeFileSync(tokenFile, 'short\n');
  assertProblem(t, await list(daemon), 503, 'TOKENS_INVALID');
  t.equal((await daemon.ask({ path: '/v1/session', headers: bearer(admin.token) })).status, 200);
});

t.test('without tokens, or without their file, there is nothing to show', async (t) => {
  const open = await startDaemon(t);
  for (const asked of [
    { path: '/v1/tokens' },
    { method: 'POST', path: '/v1/tokens', headers: json, body: '{"name":"x","scopes":["read"]}' },
    { method: 'DELETE', path: '/v1/tokens/abc' },
  ]) {
    const { detail } = assertProblem(t, await open.ask(asked), 404, 'NO_TOKENS');
    t.match(detail, /--token-file/);
  }
  const daemon = await startDaemon(t, { tokens: new Tokens([admin.record]) });
  assertProblem(t, await list(daemon), 404, 'NO_TOKENS');
});
