import { symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { httpLimits } from '../../src/http/limits.js';
import { readPage } from '../../src/http/page-files.js';
import { Tokens } from '../../src/http/tokens.js';
import { assertProblem, exchange, silentLog, startDaemon } from './daemon.js';
import { linesLog } from './log-lines.js';
import { sampleToken } from './token-samples.js';

const script = `console.log(${JSON.stringify('x'.repeat(10_000))})`;
const html = `<!doctype html><meta name="style-nonce" content="__NONCE__">
<script type="module" src="/assets/index-4f3a.js"></script><p>é</p>`;

function built(t: Test): string {
  const folder = t.testdir({
    'index.html': html,
    'secret.txt': 'not a part of it',
    assets: { 'index-4f3a.js': script, 'index-4f3a.css': 'p{}', folder: { 'x.js': 'x' } },
  });
  writeFileSync(join(folder, 'assets', 'index-4f3a.js.br'), brotliCompressSync(script));
  writeFileSync(join(folder, 'assets', 'index-4f3a.js.gz'), gzipSync(script));
  return folder;
}

const start = (t: Test) => {
  const tokens = new Tokens([sampleToken().record]);
  return startDaemon(t, { pageFolder: built(t), tokens });
};

const browser = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };

t.test('a browser is shown the page, without a token; curl is greeted', async (t) => {
  const { ask } = await start(t);
  const page = await ask({ path: '/', headers: browser });
  t.equal(page.status, 200);
  t.equal(page.headers['content-type'], 'text/html; charset=utf-8');
  t.equal(page.headers['cache-control'], 'no-store');
  t.equal(page.headers['content-length'], String(page.body.length));
  t.match(page.text, '<p>é</p>');
  for (const headers of [{ accept: '*/*' }, {}, { accept: 'application/json' }]) {
    const greeting = await ask({ path: '/', headers });
    t.equal(greeting.status, 200);
    t.match(greeting.text, /curl --data-binary/);
    t.equal(greeting.headers.vary, 'accept');
  }
  const head = await ask({ method: 'HEAD', path: '/', headers: browser });
  t.equal(head.status, 200);
  t.equal(head.body.length, 0);
  t.match(head.headers['content-security-policy'], /default-src 'none'/);
});

t.test('its policy lets nothing in, and each answer has a nonce of its own', async (t) => {
  const { ask } = await start(t);
  const nonces = new Set<string>();
  for (let count = 0; count < 10; count++) {
    const { headers, text } = await ask({ path: '/', headers: browser });
    const nonce = /content="([A-Za-z0-9_-]{22})"/.exec(text)?.[1] ?? '';
    nonces.add(nonce);
    t.equal(
      headers['content-security-policy'],
      `default-src 'none'; script-src 'self'; style-src 'self' 'nonce-${nonce}'; img-src 'self' data:; ` +
        "connect-src 'self'; font-src 'self'; form-action 'none'; base-uri 'none'; " +
        "frame-ancestors 'none'; require-trusted-types-for 'script'",
    );
    t.notMatch(text, '__NONCE__');
    t.match(headers, {
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'permissions-policy': /camera=\(\).*microphone=\(\)/,
    });
  }
  t.equal(nonces.size, 10);
});

t.test('what it loads is compressed as the browser takes it, and lasts', async (t) => {
  const { ask } = await start(t);
  const path = '/assets/index-4f3a.js';
  const asked = (coding?: string) =>
    ask({ path, headers: coding === undefined ? {} : { 'accept-encoding': coding } });
  const brotli = await asked('gzip, deflate, br, zstd');
  t.equal(brotli.headers['content-encoding'], 'br');
  t.equal(brotliDecompressSync(brotli.body).toString(), script);
  const gzip = await asked('gzip;q=1.0, br;q=0');
  t.equal(gzip.headers['content-encoding'], 'gzip');
  t.equal(gunzipSync(gzip.body).toString(), script);
  for (const coding of [undefined, '', 'identity', 'gzip;q=0', 'brotli', 'xgzip']) {
    const plain = await asked(coding);
    t.equal(plain.headers['content-encoding'], undefined, String(coding));
    t.equal(plain.text, script);
  }
  const { headers } = brotli;
  t.equal(headers['content-type'], 'text/javascript; charset=utf-8');
  t.equal(headers['cache-control'], 'public, max-age=31536000, immutable');
  t.equal(headers.vary, 'accept-encoding');
  t.equal(headers['content-length'], String(brotli.body.length));
  t.equal(headers['cross-origin-resource-policy'], 'same-origin');
  const style = await ask({ path: '/assets/index-4f3a.css' });
  t.equal(style.headers['content-type'], 'text/css; charset=utf-8');
  const head = await ask({ method: 'HEAD', path });
  t.equal(head.headers['content-length'], String(script.length));
  t.equal(head.body.length, 0);
});

t.test('no name leads to anything but a file of the page', async (t) => {
  const { ask, address } = await start(t);
  for (const path of [
    '/assets/',
    '/assets/index-4f3a.js.br',
    '/assets/nothing.js',
    '/assets/../secret.txt',
    '/assets/../index.html',
    '/assets/%2e%2e%2fsecret.txt',
    '/assets/%2e%2e/secret.txt',
    '/assets/..%2f..%2f..%2fetc%2fpasswd',
    '/assets/folder/x.js',
    '/assets//index-4f3a.js',
    '/assets/./index-4f3a.js',
    '/assets/index-4f3a.js%00',
    '/assets/constructor',
    '/assets/__proto__',
  ]) {
    const answer = await ask({ path });
    t.match(answer.status, /^4/, path);
    t.notMatch(answer.text, 'not a part of it', path);
    t.equal(answer.headers['cache-control'], 'no-store', 'that it is not there does not last');
  }
  // As it stands, which no client sends.
  const raw = 'GET /assets/../secret.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
  t.notMatch(await exchange(address, raw), /not a part of it|HTTP\/1.1 200/);
});

t.test('a link of another site leads to the page, and to nothing else', async (t) => {
  const { ask, controller } = await start(t);
  const link = {
    ...browser,
    'sec-fetch-mode': 'navigate',
    'sec-fetch-dest': 'document',
    'sec-fetch-user': '?1',
  };
  for (const site of ['cross-site', 'same-site']) {
    const from = { ...link, 'sec-fetch-site': site };
    t.equal((await ask({ path: '/', headers: from })).status, 200, site);
    const refused = async (headers: Record<string, string>, path: string, method = 'GET') =>
      assertProblem(t, await ask({ method, path, headers }), 403, 'CROSS_SITE');
    for (const path of [
      '/execute?code=1',
      '/v1/tasks',
      '/v1/session',
      '/docs',
      '/openapi.json',
      '/healthz',
      '/assets/index-4f3a.js',
      '/nowhere',
    ]) {
      await refused(from, path);
    }
    await refused(from, '/execute', 'POST');
    await refused(from, '/', 'POST');
    for (const [name, value] of [
      ['sec-fetch-dest', 'iframe'],
      ['sec-fetch-dest', 'image'],
      ['sec-fetch-dest', 'script'],
      ['sec-fetch-dest', 'empty'],
      ['sec-fetch-mode', 'cors'],
      ['sec-fetch-mode', 'no-cors'],
      ['origin', 'http://evil.example'],
      ['origin', 'null'],
    ] as const) {
      await refused({ ...from, [name]: value }, '/');
    }
    await refused({ 'sec-fetch-site': site }, '/');
  }
  t.same(controller.received, [], 'nothing is asked of the controller');
});

t.test('a name that was rebound is not shown the page', async (t) => {
  const { ask } = await startDaemon(t, { pageFolder: built(t) });
  const headers = { ...browser, host: 'evil.example' };
  assertProblem(t, await ask({ path: '/', headers }), 403, 'HOST_NOT_ALLOWED');
});

t.test('without a page the service goes on, and its log says so', async (t) => {
  const { log, lines } = linesLog();
  const { ask } = await startDaemon(t, { pageFolder: join(t.testdir({}), 'none'), log });
  const warned = lines.filter(({ msg }) => /GET \/ shows no page/.test(String(msg)));
  t.match(warned, [{ level: 40, code: 'ENOENT', msg: /npm run build/ }]);
  const answer = await ask({ path: '/', headers: browser });
  t.match(answer.headers['content-type'], /^text\/plain/);
  t.match(answer.text, /curl/);
  assertProblem(t, await ask({ path: '/assets/index-4f3a.js' }), 404, 'NOT_FOUND');
});

t.test('a page that is too large is not kept, and nothing but files is read', async (t) => {
  const folder = built(t);
  symlinkSync('/etc/passwd', join(folder, 'assets', 'passwd.txt'));
  const files = readPage(folder, silentLog);
  t.same([...(files?.assets.keys() ?? [])].sort(), ['index-4f3a.css', 'index-4f3a.js']);
  const large = join(folder, 'assets', 'large.js');
  writeFileSync(large, '');
  truncateSync(large, httpLimits.pageBytesMax);
  const { log, lines } = linesLog();
  t.equal(readPage(folder, log), undefined);
  t.match(lines, [{ level: 40, code: 'PAGE_TOO_LARGE' }]);
});
