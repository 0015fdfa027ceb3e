import type { IncomingMessage } from 'node:http';
import t from 'tap';
import type { Clock } from '../../src/clock.js';
import { type Access, Guard } from '../../src/http/guard.js';
import { httpLimits } from '../../src/http/limits.js';
import type { Need } from '../../src/http/scopes.js';
import { Tokens } from '../../src/http/tokens.js';
import { assertProblem, startDaemon } from './daemon.js';
import { bearer, sampleToken } from './token-samples.js';

const weak = 'a-token-somebody-thought-of';

/** A guard whose clock the test turns. */
function guarded(access: Partial<Access>) {
  let nowMs = 0;
  const clock: Clock = { monotonicMs: () => nowMs, wallMs: () => nowMs };
  const guard = new Guard({ noAuth: false, allowedHosts: [], ...access }, clock);
  return {
    pass: (ms: number) => {
      nowMs += ms;
    },
    /** `ok`, or the code of the refusal. */
    ask: (headers: Record<string, string>, need: Need = 'submit', remoteAddress = '192.0.2.1') => {
      const all = { host: 'localhost', ...headers };
      const request = {
        httpVersion: '1.1',
        headers: all,
        rawHeaders: Object.entries(all).flat(),
        socket: { remoteAddress },
      } as unknown as IncomingMessage;
      try {
        guard.admit(guard.identify(request, '/execute', need), need);
        return 'ok';
      } catch (error) {
        return (error as { code: string }).code;
      }
    },
  };
}

t.test('who guesses is slowed down, and nobody else is', async (t) => {
  const made = sampleToken();
  const { ask, pass } = guarded({ tokens: new Tokens([weak, made.record]) });
  for (let count = 0; count < httpLimits.authFailuresBurst; count++) {
    t.equal(ask(bearer(`guess ${count}`.replace(' ', '-'))), 'UNAUTHORIZED');
  }
  t.equal(ask(bearer('one-more')), 'RATE_LIMITED');
  t.equal(ask({}), 'RATE_LIMITED', 'without a token too');
  t.equal(ask(bearer(weak)), 'RATE_LIMITED', 'a right guess is not looked at');
  t.equal(ask(bearer(sampleToken().token)), 'RATE_LIMITED', 'one of ours that is none of them');
  t.equal(ask(bearer(made.token)), 'ok', 'nobody guesses one of ours: it is always looked at');
  t.equal(ask({}, 'open'), 'ok', 'probes go on');
  t.equal(ask(bearer(weak), 'submit', '192.0.2.2'), 'ok', 'another address is another matter');

  pass(1_000 / httpLimits.authFailuresPerSecond);
  t.equal(ask(bearer(weak)), 'ok', 'after a while one may be wrong again');
  t.equal(ask(bearer('wrong')), 'UNAUTHORIZED');
  t.equal(ask(bearer('wrong')), 'RATE_LIMITED');
});

t.test('who comes with a valid token never uses up what failures may', async (t) => {
  const { ask } = guarded({ tokens: new Tokens([weak]) });
  for (let count = 0; count < 3 * httpLimits.authFailuresBurst; count++) ask(bearer(weak));
  t.equal(ask(bearer(weak)), 'ok');
  t.equal(ask(bearer('wrong')), 'UNAUTHORIZED');
});

t.test('a token asks as often as its rate allows, refused requests included', async (t) => {
  const slow = sampleToken({ scopes: ['read'], rate: { perSecond: 2, burst: 3 } });
  const free = sampleToken();
  const { ask, pass } = guarded({ tokens: new Tokens([slow.record, free.record]) });
  const headers = bearer(slow.token);
  t.equal(ask(headers, 'read'), 'ok');
  t.equal(ask(headers, 'submit'), 'INSUFFICIENT_SCOPE');
  t.equal(ask(headers, 'read'), 'ok');
  t.equal(ask(headers, 'read'), 'RATE_LIMITED');
  t.equal(ask(headers, 'submit'), 'RATE_LIMITED');
  t.equal(ask(bearer(free.token), 'read'), 'ok', 'each has its own');
  pass(500);
  t.equal(ask(headers, 'read'), 'ok');
  t.equal(ask(headers, 'read'), 'RATE_LIMITED');
});

t.test('a token is valid up to its end', async (t) => {
  const short = sampleToken({ expiresAt: '1970-01-01T00:01:00Z' });
  const { ask, pass } = guarded({ tokens: new Tokens([short.record]) });
  pass(59_999);
  t.equal(ask(bearer(short.token)), 'ok');
  pass(1);
  t.equal(ask(bearer(short.token)), 'UNAUTHORIZED');
});

t.test('over HTTP a rate is 429 with the time to wait', async (t) => {
  const { token, record } = sampleToken({ rate: { perSecond: 0.01, burst: 1 } });
  const daemon = await startDaemon(t, { tokens: new Tokens([record]) });
  const asking = { path: '/execute?code=ran', headers: bearer(token) };
  t.equal((await daemon.ask(asking)).text, 'ran');
  const answer = await daemon.ask(asking);
  t.match(assertProblem(t, answer, 429, 'RATE_LIMITED').detail, /0.01 times a second/);
  const seconds = Number(answer.headers['retry-after']);
  t.ok(seconds >= 1 && seconds <= 100, String(seconds));
  t.equal(daemon.controller.received.filter(({ kind }) => kind === 'submit').length, 1);
});

t.test('a browser that does not say for which site it asks may not run anything', async (t) => {
  const agent = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36' };
  const away = { host: 'box.example:5000' };
  for (const access of [{ allowedHosts: ['box.example'] }, { noAuth: true }]) {
    const { ask } = guarded(access);
    t.equal(ask({ ...away, ...agent }), 'CROSS_SITE', 'an image, a link, over plain HTTP');
    t.equal(ask({ ...away, ...agent }, 'read'), 'ok', 'to look is no harm');
    t.equal(ask({ ...away, ...agent, 'sec-fetch-site': 'same-origin' }), 'ok', 'over HTTPS');
    t.equal(ask({ ...away, ...agent, origin: 'http://box.example:5000' }), 'ok', 'a page of ours');
    t.equal(ask({ ...away, 'user-agent': 'python-requests/2.32' }), 'ok');
    t.equal(ask(away), 'ok');
    t.equal(ask(agent), 'ok', 'of loopback every browser says it, so this is none');
  }
  const { token, record } = sampleToken();
  const { ask } = guarded({ tokens: new Tokens([record]) });
  t.equal(ask({ ...away, ...agent, ...bearer(token) }), 'ok', 'a page has no token');
});
