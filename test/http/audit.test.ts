import { readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openAuditLog, pathText } from '../../src/http/audit.js';
import { httpLimits } from '../../src/http/limits.js';
import { Tokens } from '../../src/http/tokens.js';
import { exchange, silentLog, startDaemon } from './daemon.js';
import { linesLog } from './log-lines.js';
import { bearer, sampleToken } from './token-samples.js';

t.test('a refused request is written down, with who and what, and nothing secret', async (t) => {
  const { log: auditLog, lines } = linesLog();
  const read = sampleToken({ scopes: ['read'], rate: { perSecond: 0.001, burst: 2 } });
  const bound = sampleToken({ group: 'a' });
  const old = sampleToken({ expiresAt: '2026-01-01T00:00:00Z' });
  const records = [read, bound, old].map(({ record }) => record);
  const daemon = await startDaemon(t, { tokens: new Tokens(records), auditLog });
  const run = '/execute?code=secret-code';
  const json = { 'content-type': 'application/json' };
  await daemon.ask({ path: run });
  await daemon.ask({ path: run, headers: bearer('secret-of-somebody-else') });
  await daemon.ask({ path: run, headers: bearer(old.token) });
  await daemon.ask({ method: 'POST', path: run, headers: bearer(read.token), body: 'secret-code' });
  await daemon.ask({ path: '/v1/session', headers: bearer(read.token) });
  await daemon.ask({ path: '/v1/session', headers: bearer(read.token) });
  const body = '{"code": "secret-code", "group": "b"}';
  const headers = { ...bearer(bound.token), ...json };
  await daemon.ask({ method: 'POST', path: '/v1/tasks', headers, body });
  await daemon.ask({ path: run, headers: { origin: 'http://evil.example' } });

  const line = { level: 40, msg: 'refused', remote: '127.0.0.1', path: '/execute', method: 'GET' };
  const { id } = read.record;
  t.match(lines, [
    { ...line, status: 401, code: 'UNAUTHORIZED' },
    { ...line, status: 401, code: 'UNAUTHORIZED' },
    { ...line, status: 401, code: 'UNAUTHORIZED' },
    { ...line, method: 'POST', status: 403, code: 'INSUFFICIENT_SCOPE', token: id },
    { ...line, path: '/v1/session', status: 429, code: 'RATE_LIMITED', token: id },
    {
      ...line,
      method: 'POST',
      path: '/v1/tasks',
      code: 'GROUP_NOT_ALLOWED',
      token: bound.record.id,
    },
    { ...line, status: 403, code: 'CROSS_SITE' },
  ]);
  t.equal(lines.length, 7, 'what was served is not there');
  const text = JSON.stringify(lines);
  t.notMatch(text, 'secret');
  for (const { token } of [read, bound, old]) t.notMatch(text, token);
});

t.test('mistakes that are no refusals are not written down', async (t) => {
  const { log: auditLog, lines } = linesLog();
  const daemon = await startDaemon(t, { auditLog });
  for (const path of ['/nowhere', '/execute', '/v1/tasks/x', '/v1/tasks?limit=0', '/%']) {
    t.ok((await daemon.ask({ path })).status >= 400);
  }
  t.same(lines, []);
});

t.test('a host that is refused is written down, however it writes its path', async (t) => {
  const { log: auditLog, lines } = linesLog();
  const { address } = await startDaemon(t, { auditLog });
  const head = 'GET /"\\<script>{|}?token=1 HTTP/1.1\r\nHost: evil.example\r\n';
  t.match(await exchange(address, `${head}Connection: close\r\n\r\n`), /^HTTP\/1.1 403 /);
  t.match(lines, [{ code: 'HOST_NOT_ALLOWED', path: '/"\\<script>{|}' }]);
});

t.test('a path is shown as letters of a terminal, short and without its query', async (t) => {
  t.equal(pathText('/a/b?c=d'), '/a/b');
  t.equal(pathText('/\x1b[31m\r\n\x00\x9b'), '/%1B[31m%0D%0A%00%9B');
  t.equal(pathText(`/${'x'.repeat(5_000_000)}`).length, httpLimits.auditPathMax);
});

t.test('a flood of refusals becomes a trickle, and is counted', async (t) => {
  const { log: auditLog, lines } = linesLog();
  const daemon = await startDaemon(t, { auditLog });
  const headers = { host: 'evil.example' };
  let sent = 0;
  const refuse = async () => {
    sent++;
    const before = lines.length;
    await daemon.ask({ path: '/', headers });
    return lines.length > before;
  };
  while (sent < 3 * httpLimits.auditLinesBurst) await refuse();
  t.ok(lines.length >= httpLimits.auditLinesBurst && lines.length < sent, String(lines.length));
  // The next line that is written, whenever that is, has those that were not.
  while (!(await refuse()));
  const counted = lines.reduce((sum, { unwritten = 0 }) => sum + 1 + Number(unwritten), 0);
  t.equal(counted, sent, 'none is missing');
});

t.test('the file of the log is for its owner, and may be moved away', async (t) => {
  const folder = t.testdir();
  const path = join(folder, 'audit.log');
  const { log, lines } = linesLog();
  const auditLog = openAuditLog(path, log);
  t.equal(statSync(path).mode & 0o777, 0o600);
  const daemon = await startDaemon(t, { auditLog });
  const refuse = () => daemon.ask({ path: '/', headers: { host: 'evil.example' } });
  await refuse();
  renameSync(path, `${path}.1`);
  await refuse();
  await refuse();
  const read = (path: string) => readFileSync(path, 'utf8').trim().split('\n');
  t.equal(read(`${path}.1`).length, 1);
  t.equal(read(path).length, 2);
  t.match(JSON.parse(read(path)[0] ?? ''), { msg: 'refused', code: 'HOST_NOT_ALLOWED' });

  rmSync(folder, { recursive: true });
  t.equal((await refuse()).status, 403, 'a log that cannot be written ends no service');
  t.match(lines, [{ level: 50, msg: /audit log is lost/ }]);
  t.throws(() => openAuditLog(path, silentLog), { code: 'AUDIT_UNWRITABLE' });
});
