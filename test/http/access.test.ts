import t from 'tap';
import { hostName, isLoopbackAddress, isLoopbackName } from '../../src/http/origin.js';
import { startHttp } from '../../src/http/server.js';
import { Tokens } from '../../src/http/tokens.js';
import { type Answer, ask, assertProblem, exchange, httpOptions, startDaemon } from './daemon.js';

const token = 'a-token-of-the-tests-0123456789';
const other = 'another-token-of-the-tests-4567';
const tokens = new Tokens([other, token]);
const run = '/execute?code=ran';
const bearer = (value: string) => ({ authorization: `Bearer ${value}` });

t.test('an address that others reach is refused without tokens, with the cure', async (t) => {
  for (const place of ['host', 'debugHost'] as const) {
    for (const address of ['0.0.0.0', '::', '192.0.2.1', 'example.org', '127.example.org']) {
      const options = { ...httpOptions('unix:/nowhere'), [place]: address };
      await t.rejects(startHttp(options), {
        code: 'AUTH_REQUIRED',
        message: /--token-file.*--no-auth/,
      });
    }
  }
});

t.test('any address is taken with tokens or with --no-auth', async (t) => {
  const everywhere = { host: '0.0.0.0', debugHost: '0.0.0.0' };
  const withTokens = await startDaemon(t, { ...everywhere, tokens });
  const reachable = (address: string) => address.replace('0.0.0.0', '127.0.0.1');
  const path = '/healthz';
  t.equal((await ask(reachable(withTokens.address), { path })).status, 200);
  const unguarded = await startDaemon(t, { ...everywhere, noAuth: true });
  const headers = { host: 'anything.example' };
  const answer = await ask(reachable(unguarded.address), { path: run, headers });
  t.equal(answer.text, 'ran');
});

t.test('loopback is known in its forms, and nothing else passes for it', async (t) => {
  for (const address of ['127.0.0.1', '127.8.9.10', '::1', 'localhost', '[::1]']) {
    t.ok(isLoopbackAddress(address), address);
  }
  for (const address of ['0.0.0.0', '::', '127.1', '127.0.0.1.example', '10.0.0.1', '', '::2']) {
    t.notOk(isLoopbackAddress(address), address);
  }
  t.ok(isLoopbackName('app.localhost'));
  for (const name of ['localhost.example', 'notlocalhost', '127.0.0.1.nip.io', 'localhost.']) {
    t.notOk(isLoopbackName(name), name);
  }
});

t.test('a Host header is read by its grammar', async (t) => {
  const cases: [string, string | undefined][] = [
    ['LocalHost:5000', 'localhost'],
    ['localhost.:5000', 'localhost'],
    ['127.0.0.1', '127.0.0.1'],
    ['[::1]:5000', '[::1]'],
    ['', undefined],
    ['a b', undefined],
    ['user@localhost', undefined],
    ['localhost:5000:1', undefined],
    ['localhost/x', undefined],
    ['localhost, evil.example', undefined],
    ['::1', undefined],
  ];
  for (const [authority, name] of cases) t.equal(hostName(authority), name, authority);
});

t.test('without tokens only loopback and allowed names may be the Host', async (t) => {
  const daemon = await startDaemon(t, { allowedHosts: ['Box.Example'] });
  for (const address of [daemon.address, daemon.debugAddress]) {
    for (const host of [
      'localhost',
      'x.localhost:1',
      '127.1.2.3',
      '[::1]:5000',
      'box.example:80',
    ]) {
      const answer = await ask(address, { path: '/healthz', headers: { host } });
      t.equal(answer.status, 200, host);
    }
    for (const host of ['evil.example', 'localhost.evil.example', '10.0.0.1', '0.0.0.0', '[::2]']) {
      const answer = await ask(address, { path: '/healthz', headers: { host } });
      t.match(assertProblem(t, answer, 403, 'HOST_NOT_ALLOWED').detail, /--allowed-host/, host);
    }
    for (const host of ['a b', 'me@localhost']) {
      const answer = await ask(address, { path: '/healthz', headers: { host } });
      assertProblem(t, answer, 400, 'INVALID_HOST');
    }
  }
  t.same(daemon.controller.received, []);
});

t.test('a refused host runs nothing', async (t) => {
  const { ask, controller } = await startDaemon(t);
  const headers = { host: 'evil.example' };
  assertProblem(t, await ask({ path: run, headers }), 403, 'HOST_NOT_ALLOWED');
  const posted = { method: 'POST', path: '/execute', headers, body: '1' };
  assertProblem(t, await ask(posted), 403, 'HOST_NOT_ALLOWED');
  t.same(controller.received, []);
});

t.test('a missing, doubled or contradicted Host is refused', async (t) => {
  const { address, controller } = await startDaemon(t);
  const cases: [string, RegExp][] = [
    [`GET ${run} HTTP/1.1\r\n`, /400 .*INVALID_HOST/s],
    [`GET ${run} HTTP/1.0\r\n`, /400 .*INVALID_HOST/s],
    [`GET ${run} HTTP/1.1\r\nHost:\r\n`, /400 .*INVALID_HOST/s],
    [`GET ${run} HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n`, /400 .*INVALID_HOST/s],
    [`GET http://evil.example${run} HTTP/1.1\r\nHost: localhost\r\n`, /403 .*HOST_NOT_ALLOWED/s],
    [`GET http://localhost${run} HTTP/1.1\r\nHost: evil.example\r\n`, /403 .*HOST_NOT_ALLOWED/s],
  ];
  for (const [head, expected] of cases) {
    const answer = await exchange(address, `${head}Connection: close\r\n\r\n`);
    t.match(answer, expected, head);
  }
  t.same(controller.received, []);
});

t.test('absolute-form and HTTP/1.0 are served where the Host may come in', async (t) => {
  const { address } = await startDaemon(t);
  for (const head of [
    `GET http://localhost:5000${run} HTTP/1.1\r\nHost: localhost:5000\r\nConnection: close\r\n`,
    `GET ${run} HTTP/1.0\r\nHost: localhost\r\n`,
  ]) {
    t.match(await exchange(address, `${head}\r\n`), /^HTTP\/1\.1 200 .*\r\n\r\nran$/s, head);
  }
  const open = await startDaemon(t, { noAuth: true });
  const old = await exchange(open.address, `GET ${run} HTTP/1.0\r\n\r\n`);
  t.match(old, /^HTTP\/1\.1 200 .*\r\n\r\nran$/s, 'HTTP/1.0 needs no Host where any may come in');
});

t.test('what a browser does for another site is refused, with tokens too', async (t) => {
  const ways: Record<string, string>[] = [
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'something new' },
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: 'http://localhost:8080' },
    { origin: 'http://localhost:5000.evil.example' },
    { origin: 'file://' },
    { origin: '' },
    { 'sec-fetch-site': 'same-origin', origin: 'http://evil.example' },
  ];
  for (const changes of [{}, { tokens }, { noAuth: true }]) {
    const { controller, address, debugAddress } = await startDaemon(t, changes);
    for (const way of ways) {
      const headers = { host: 'localhost:5000', ...bearer(token), ...way };
      for (const [server, path] of [
        [address, run],
        [debugAddress, '/debug/loop'],
      ] as const) {
        assertProblem(t, await ask(server, { path, headers }), 403, 'CROSS_SITE');
      }
    }
    t.same(controller.received, []);
  }
});

t.test('what a browser does for this site, or its user by hand, is served', async (t) => {
  const { ask } = await startDaemon(t);
  const ways: Record<string, string>[] = [
    { 'sec-fetch-site': 'none' },
    { 'sec-fetch-site': 'same-origin' },
    { origin: 'http://localhost:5000' },
    { origin: 'https://localhost:5000', 'sec-fetch-site': 'same-origin' },
  ];
  for (const way of ways) {
    const answer = await ask({ path: run, headers: { host: 'localhost:5000', ...way } });
    t.equal(answer.text, 'ran');
  }
  const plain = { host: 'localhost', origin: 'http://localhost' };
  t.equal((await ask({ path: run, headers: plain })).text, 'ran', 'default port on both sides');
  const tls = { host: 'localhost', origin: 'https://localhost:443' };
  t.equal((await ask({ path: run, headers: tls })).text, 'ran', 'default port written out');
});

t.test('with tokens, every path but the probes asks for one of them', async (t) => {
  const daemon = await startDaemon(t, { tokens });
  const { controller, debugAddress } = daemon;
  for (const path of [run, '/v1/session', '/v1/tasks/x', '/nowhere']) {
    const answer = await daemon.ask({ path });
    assertProblem(t, answer, 401, 'UNAUTHORIZED');
    t.equal(answer.headers['www-authenticate'], 'Bearer realm="scriptd"');
  }
  assertProblem(t, await ask(debugAddress, { path: '/debug/loop' }), 401, 'UNAUTHORIZED');
  const wrong = ['x', `${token}x`, token.slice(0, -1), token.toUpperCase(), `${token} ${token}`];
  for (const value of [...wrong, '']) {
    const answer = await daemon.ask({ path: run, headers: bearer(value) });
    assertProblem(t, answer, 401, 'UNAUTHORIZED');
  }
  const basic = { authorization: `Basic ${token}` };
  assertProblem(t, await daemon.ask({ path: run, headers: basic }), 401, 'UNAUTHORIZED');
  t.same(controller.received, []);

  for (const value of [token, other]) {
    const headers = { host: 'any.example', authorization: `bearer ${value}` };
    t.equal((await daemon.ask({ path: run, headers })).text, 'ran');
  }
  for (const path of ['/healthz', '/readyz']) t.equal((await daemon.ask({ path })).status, 200);
  const headers = bearer(token);
  t.equal((await ask(debugAddress, { path: '/debug/loop', headers })).status, 200);
});

t.test('a refused request with a large body is answered all the same', async (t) => {
  const { ask } = await startDaemon(t, { tokens });
  const body = 'x'.repeat(100_000);
  const answer: Answer = await ask({ method: 'POST', path: '/execute', body });
  assertProblem(t, answer, 401, 'UNAUTHORIZED');
});
