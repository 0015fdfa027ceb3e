import { mock } from 'node:test';
import t, { type Test } from 'tap';
import { httpLimits } from '../../src/http/limits.js';
import { openSession, sealSession } from '../../src/http/session.js';
import type { TokenRecord } from '../../src/http/token-record.js';
import { Tokens } from '../../src/http/tokens.js';
import { type Answer, ask, assertProblem, type Daemon, exchange, startDaemon } from './daemon.js';
import { linesLog } from './log-lines.js';
import { bearer, sampleToken } from './token-samples.js';

const json = { 'content-type': 'application/json' };

/** A browser's two halves of a session. */
interface Halves {
  key: string;
  /** As a Cookie header has it. */
  cookie: string;
}

async function start(t: Test, changes: Partial<TokenRecord> = {}) {
  const { token, record } = sampleToken(changes);
  const tokens = new Tokens([record]);
  const daemon = await startDaemon(t, { tokens });
  return { daemon, tokens, token, record };
}

/** Signs in as a page of the service does, and returns what its answer sets. */
async function signIn(
  daemon: Daemon,
  token: string,
  body: object | undefined = {},
  headers: Record<string, string> = {},
): Promise<Halves & { set: string; answer: Answer }> {
  const answer = await daemon.ask({
    method: 'POST',
    path: '/v1/session',
    headers: { ...bearer(token), ...json, ...headers },
    body: JSON.stringify(body),
  });
  const [set = ''] = answer.headers['set-cookie'] ?? [];
  return { key: String(answer.json.key), cookie: set.split(';', 1)[0] ?? '', set, answer };
}

const showing = ({ key, cookie }: Halves) => ({ 'scriptd-session': key, cookie });

const problemOf = (t: Test, answer: Answer) => {
  const { detail } = assertProblem(t, answer, 401, 'UNAUTHORIZED');
  t.match(answer.headers['www-authenticate'], /^Bearer realm="scriptd", error="invalid_token"$/);
  return String(detail);
};

t.test('a browser that is signed in does what its token may, and no more', async (t) => {
  const { daemon, token, record } = await start(t, { scopes: ['read'], group: 'ci' });
  const { port } = new URL(daemon.address);
  const { answer, set, ...halves } = await signIn(daemon, token);
  t.equal(answer.status, 200);
  t.match(halves.key, /^[A-Za-z0-9_-]{43}$/);
  t.match(
    set,
    new RegExp(`^scriptd-session-${port}=[A-Za-z0-9_-]+; HttpOnly; SameSite=Strict; Path=/$`),
  );
  const { key, ...session } = answer.json;
  const { version, ...rest } = session;
  t.same(rest, { tokens: true, name: record.name, scopes: ['read'], group: 'ci' });
  t.match(version, /^\d+\.\d+\.\d+/);
  const headers = showing(halves);
  t.same((await daemon.ask({ path: '/v1/session', headers })).json, session);
  const head = await daemon.ask({ method: 'HEAD', path: '/v1/session', headers });
  t.equal(head.status, 200);
  t.equal(head.body.length, 0);
  const run = await daemon.ask({ path: '/execute?code=1', headers });
  assertProblem(t, run, 403, 'INSUFFICIENT_SCOPE');
  for (const text of [set, halves.key]) t.notMatch(text, token, 'nowhere is the token itself');
});

t.test('every signing in has a key and a cookie of its own', async (t) => {
  const { daemon, token } = await start(t);
  const first = await signIn(daemon, token);
  const second = await signIn(daemon, token);
  t.not(first.key, second.key);
  t.not(first.cookie, second.cookie);
  for (const halves of [first, second]) {
    t.equal((await daemon.ask({ path: '/v1/session', headers: showing(halves) })).status, 200);
  }
});

t.test('a half alone is worth nothing, and halves of two are none', async (t) => {
  const { daemon, token } = await start(t);
  const one = await signIn(daemon, token);
  const two = await signIn(daemon, token);
  const path = '/v1/tasks';
  const asked = (headers: Record<string, string | string[]>) => daemon.ask({ path, headers });
  assertProblem(t, await asked({ cookie: one.cookie }), 401, 'UNAUTHORIZED');
  const cases: Record<string, Record<string, string | string[]>> = {
    'no cookie': { 'scriptd-session': one.key },
    'the key of another': { 'scriptd-session': two.key, cookie: one.cookie },
    'a key that is cut': { 'scriptd-session': one.key.slice(1), cookie: one.cookie },
    'an empty key': { 'scriptd-session': '', cookie: one.cookie },
    'two keys': { 'scriptd-session': [one.key, one.key], cookie: one.cookie },
    'the token itself as key': { 'scriptd-session': token, cookie: one.cookie },
    'a cookie that was changed': {
      'scriptd-session': one.key,
      cookie: one.cookie.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A')),
    },
    'a cookie that is cut': { 'scriptd-session': one.key, cookie: one.cookie.slice(0, -8) },
    'an empty cookie': { 'scriptd-session': one.key, cookie: one.cookie.replace(/=.*/, '=') },
    'a cookie of another port': {
      'scriptd-session': one.key,
      cookie: one.cookie.replace(/-\d+=/, '-1='),
    },
  };
  for (const [name, headers] of Object.entries(cases)) {
    t.match(problemOf(t, await asked(headers)), /sign in again/, name);
  }
  t.same(daemon.controller.received, [], 'the controller is not asked');
});

t.test('what was sealed for one port does not open at another', async (t) => {
  const { daemon, token } = await start(t);
  const { key, cookie } = await signIn(daemon, token);
  const other = { host: 'localhost:7', 'scriptd-session': key };
  const renamed = cookie.replace(/-\d+=/, '-7=');
  problemOf(t, await daemon.ask({ path: '/v1/tasks', headers: { ...other, cookie } }));
  problemOf(t, await daemon.ask({ path: '/v1/tasks', headers: { ...other, cookie: renamed } }));
  const debug = await ask(daemon.debugAddress, {
    path: '/debug/loop',
    headers: showing({ key, cookie }),
  });
  problemOf(t, debug);
});

t.test(
  'behind a proxy that speaks TLS the cookie is secure, and found without a port',
  async (t) => {
    const { daemon, token } = await start(t);
    const host = 'scripts.example';
    const signed = await signIn(daemon, token, {}, { host, origin: `https://${host}` });
    t.match(signed.set, /^scriptd-session-443=.*; Path=\/; Secure$/);
    const plain = await signIn(daemon, token, {}, { host, origin: `http://${host}` });
    t.match(plain.set, /^scriptd-session-80=/);
    t.notMatch(plain.set, 'Secure');
    for (const halves of [signed, plain]) {
      // Of the same origin a GET has no Origin.
      const headers = { host, ...showing(halves) };
      t.equal((await daemon.ask({ path: '/v1/session', headers })).status, 200);
    }
  },
);

t.test(
  'a cookie that another port of the host puts before ours does not sign anybody out',
  async (t) => {
    const { daemon, token } = await start(t);
    const { key, cookie } = await signIn(daemon, token);
    const name = cookie.split('=', 1)[0];
    const before = (count: number) => `${`${name}=AAAA; `.repeat(count)}x=y; ${cookie}`;
    const asked = (text: string) =>
      daemon.ask({ path: '/v1/session', headers: showing({ key, cookie: text }) });
    t.equal((await asked(before(1))).status, 200);
    problemOf(t, await asked(before(httpLimits.sessionCookiesMax)));
    const long = `x=${'y'.repeat(httpLimits.cookieCharactersMax)}; ${cookie}`;
    problemOf(t, await asked(long));
    const huge = `${name}=${'A'.repeat(100_000)}; ${cookie}`;
    problemOf(t, await asked(huge));
  },
);

t.test('an Authorization header goes before a session, whatever is in it', async (t) => {
  const { daemon, token } = await start(t);
  const headers = showing(await signIn(daemon, token));
  for (const authorization of ['Bearer wrong-token-of-somebody', 'Basic eDp5', '']) {
    const answer = await daemon.ask({ path: '/v1/tasks', headers: { ...headers, authorization } });
    assertProblem(t, answer, 401, 'UNAUTHORIZED');
  }
});

t.test('a session ends with its token: revoked, changed or expired', async (t) => {
  const soon = new Date(Date.now() + 3_600_000).toISOString();
  const { daemon, tokens, token, record } = await start(t, { expiresAt: soon });
  const { answer, ...halves } = await signIn(daemon, token, { remember: true });
  t.equal(answer.json.expiresAt, soon);
  const age = Number(/Max-Age=(\d+)/.exec(halves.set)?.[1]);
  t.ok(age > 3_500 && age <= 3_600, 'the cookie does not outlive the token');
  const asked = () => daemon.ask({ path: '/v1/session', headers: showing(halves) });
  t.equal((await asked()).status, 200);
  tokens.replace([{ ...record, scopes: ['submit'] }]);
  t.same((await asked()).json.scopes, ['submit'], 'it has the rights that there are by now');
  tokens.replace([{ ...record, expiresAt: '2026-01-01T00:00:00Z' }]);
  t.match(problemOf(t, await asked()), /expired at 2026-01-01.*sign in again/);
  tokens.replace([sampleToken().record]);
  t.match(problemOf(t, await asked()), /not valid any more: sign in again/);
  tokens.replace([record]);
  t.equal((await asked()).status, 200);
});

t.test('it is kept for thirty days at most, whoever keeps it', async (t) => {
  const { daemon, token } = await start(t);
  const { set } = await signIn(daemon, token, { remember: true });
  t.match(set, `; Max-Age=${httpLimits.sessionMs / 1000}`);
  const session = sealSession(token, 5000, 1_000);
  t.equal(openSession(session, 5000, 999), token);
  t.equal(openSession(session, 5000, 1_000), undefined, 'also who kept both halves');
  t.equal(openSession(session, 5001, 999), undefined);
});

t.test('signing out has the browser forget, and needs no session', async (t) => {
  const { daemon, token } = await start(t);
  const { port } = new URL(daemon.address);
  const halves = await signIn(daemon, token);
  const out = { method: 'DELETE', path: '/v1/session' };
  for (const headers of [{}, showing(halves)]) {
    const answer = await daemon.ask({ ...out, headers });
    t.equal(answer.status, 204);
    t.same(answer.headers['set-cookie'], [
      `scriptd-session-${port}=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0`,
    ]);
  }
  const host = 'scripts.example';
  const secure = await daemon.ask({ ...out, headers: { host, origin: `https://${host}` } });
  t.same(
    secure.headers['set-cookie']?.map((set) => set.split('=', 1)[0]),
    ['scriptd-session-443', 'scriptd-session-80'],
  );
});

t.test(
  'pages of other sites, and of other ports of this host, sign nobody in or out',
  async (t) => {
    const { daemon, token } = await start(t);
    const halves = await signIn(daemon, token);
    const foreign: Record<string, string>[] = [
      { origin: 'http://evil.example' },
      { origin: 'http://127.0.0.1:1' },
      { origin: 'null' },
      { 'sec-fetch-site': 'same-site' },
      {
        'sec-fetch-site': 'cross-site',
        'sec-fetch-mode': 'navigate',
        'sec-fetch-dest': 'document',
      },
    ];
    for (const marks of foreign) {
      const headers = { ...showing(halves), ...marks };
      for (const [method, path] of [
        ['GET', '/v1/session'],
        ['POST', '/v1/session'],
        ['DELETE', '/v1/session'],
        ['GET', '/execute?code=1'],
        ['POST', '/execute'],
      ] as const) {
        const answer = await daemon.ask({ method, path, headers });
        assertProblem(t, answer, 403, 'CROSS_SITE');
        t.equal(answer.headers['set-cookie'], undefined);
      }
    }
    // Plain HTTP to a name of the network: nothing marks it, and a form sends the cookie, but no header.
    const form = await daemon.ask({
      method: 'POST',
      path: '/execute',
      headers: { cookie: halves.cookie, 'user-agent': 'Mozilla/5.0' },
      body: '1',
    });
    assertProblem(t, form, 401, 'UNAUTHORIZED');
    // What would let a page send the header is asked for before, and not answered.
    const preflight = await daemon.ask({
      method: 'OPTIONS',
      path: '/v1/tasks',
      headers: {
        origin: daemon.address,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'scriptd-session',
      },
    });
    t.ok(preflight.status >= 400);
    for (const name of Object.keys(preflight.headers)) t.notMatch(name, 'access-control');
  },
);

t.test('a session does not sign in, and neither does nothing', async (t) => {
  const { daemon, token } = await start(t);
  const halves = await signIn(daemon, token);
  const post = { method: 'POST', path: '/v1/session' };
  for (const headers of [showing(halves), {}]) {
    const answer = await daemon.ask({ ...post, headers });
    const { detail } = assertProblem(t, answer, 401, 'UNAUTHORIZED');
    t.match(detail, /Authorization: Bearer TOKEN/);
    t.equal(answer.headers['set-cookie'], undefined);
  }
  const bare = await daemon.ask({ ...post, headers: bearer(token) });
  t.equal(bare.status, 200, 'a body need not be there');
  for (const body of ['{"remember": 1}', '{"forever": true}', '[]', '"x"', 'null']) {
    const answer = await daemon.ask({ ...post, headers: { ...bearer(token), ...json }, body });
    assertProblem(t, answer, 400, 'INVALID_FIELD');
  }
});

t.test('a token that no cookie holds is refused', async (t) => {
  const long = 'x'.repeat(httpLimits.sessionTokenBytesMax);
  const daemon = await startDaemon(t, { tokens: new Tokens([long, `${long}x`]) });
  const { set, ...halves } = await signIn(daemon, long);
  t.ok(set.length < 4_096, 'the longest one fits');
  t.equal((await daemon.ask({ path: '/v1/session', headers: showing(halves) })).status, 200);
  const { answer } = await signIn(daemon, `${long}x`);
  assertProblem(t, answer, 431, 'HEADERS_TOO_LARGE');
});

t.test('guesses by sessions are slowed down as guesses by tokens are', async (t) => {
  const weak = 'a-token-somebody-thought-of';
  const made = sampleToken();
  const { log: auditLog, lines } = linesLog();
  const daemon = await startDaemon(t, { tokens: new Tokens([weak, made.record]), auditLog });
  const { host, port } = new URL(daemon.address);
  // Whoever guesses seals the guess: the key is his own.
  const guess = (token: string) => {
    const { key, sealed } = sealSession(token, Number(port), Date.now() + 60_000);
    return { host, ...showing({ key, cookie: `scriptd-session-${port}=${sealed}` }) };
  };
  const asked = (headers: Record<string, string>) => daemon.ask({ path: '/v1/session', headers });
  t.equal((await asked(guess(weak))).status, 200);
  // However long the guesses take: none is made good by time.
  const nowMs = performance.now();
  const clock = mock.method(performance, 'now', () => nowMs);
  t.teardown(() => clock.mock.restore());
  for (let count = 0; count < httpLimits.authFailuresBurst; count++) {
    t.equal((await asked(guess(`guess-number-${count}`))).status, 401);
  }
  const tired = async (headers: Record<string, string>) =>
    assertProblem(t, await asked(headers), 429, 'RATE_LIMITED');
  await tired(guess('one-more-guess'));
  await tired(guess(weak));
  await tired(bearer(weak));
  t.equal((await asked(guess(made.token))).status, 200, 'one of ours nobody guesses');
  const text = JSON.stringify(lines);
  for (const secret of ['guess-number', weak, made.token]) t.notMatch(text, secret);
});

t.test('headers that are smuggled make no session', async (t) => {
  const { daemon, token } = await start(t);
  const { key, cookie } = await signIn(daemon, token);
  const { host } = new URL(daemon.address);
  const send = (...lines: string[]) =>
    exchange(
      daemon.address,
      [`GET /v1/session HTTP/1.1`, `Host: ${host}`, 'Connection: close', ...lines, '', ''].join(
        '\r\n',
      ),
    );
  t.match(await send(`Scriptd-Session: ${key}`, `Cookie: ${cookie}`), /^HTTP\/1.1 200 /);
  t.match(
    await send(`scriptd-session:${key}`, 'Cookie: a=b', `Cookie: ${cookie}`),
    /^HTTP\/1.1 200 /,
  );
  for (const lines of [
    [`Scriptd-Session : ${key}`, `Cookie: ${cookie}`],
    [`Scriptd_Session: ${key}`, `Cookie: ${cookie}`],
    [`Scriptd-Session: ${key}`, `X: y\rCookie: ${cookie}`],
    [`X: y\nScriptd-Session: ${key}`, `Cookie: ${cookie}`],
    [`Scriptd-Session: ${key}`, `Scriptd-Session: ${key}`, `Cookie: ${cookie}`],
    [`X: y`, ` Scriptd-Session: ${key}`, `Cookie: ${cookie}`],
    [`Scriptd-Session: ${key}`, `Cookie: ${cookie.replace('=', '="')}"`],
  ]) {
    const text = await send(...lines);
    t.match(text, /^HTTP\/1.1 4\d\d /, JSON.stringify(lines));
    t.notMatch(text, '"tokens":true');
  }
});

t.test(
  'without tokens there is nothing to sign in with, and everybody may do everything',
  async (t) => {
    const daemon = await startDaemon(t);
    const answer = await daemon.ask({ path: '/v1/session' });
    t.match(answer.json, { tokens: false, scopes: ['submit', 'read', 'admin'], version: String });
    t.notHas(answer.json, { name: String });
    const refused = await daemon.ask({ method: 'POST', path: '/v1/session' });
    assertProblem(t, refused, 404, 'NO_TOKENS');
    t.equal((await daemon.ask({ method: 'DELETE', path: '/v1/session' })).status, 204);
  },
);

t.test('a token of scope admin is told all that it may', async (t) => {
  const { daemon, token } = await start(t, { scopes: ['admin'] });
  const answer = await daemon.ask({ path: '/v1/session', headers: bearer(token) });
  t.same(answer.json.scopes, ['submit', 'read', 'admin']);
});
