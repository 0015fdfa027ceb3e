import Fastify from 'fastify';
import t, { type Test } from 'tap';
import { createApp } from '../../src/http/app.js';
import { Audit } from '../../src/http/audit.js';
import { BodyRoom } from '../../src/http/body-room.js';
import { Connections } from '../../src/http/connections.js';
import { Guard } from '../../src/http/guard.js';
import { RequestFigures } from '../../src/http/request-figures.js';
import { needOf, scopes } from '../../src/http/scopes.js';
import { Tokens } from '../../src/http/tokens.js';
import { UnsentAnswers } from '../../src/http/unsent.js';
import { type Answer, ask, assertProblem, type Daemon, silentLog, startDaemon } from './daemon.js';
import { refuseWith, taskId } from './fake-controller.js';
import { type Registered, watchRoutes } from './registered-routes.js';
import { bearer, sampleToken } from './token-samples.js';

const all = new Map(scopes.map((scope) => [scope, sampleToken({ scopes: [scope] })]));
const bound = sampleToken({ scopes: ['submit', 'read'], group: 'a' });
const expired = sampleToken({ scopes: ['admin'], expiresAt: '2026-01-01T00:00:00Z' });
const tokens = () => new Tokens([...all.values(), bound, expired].map(({ record }) => record));

/** A daemon with its routes; `at` asks one of them, wherever it is served. */
async function start(t: Test) {
  const { routes, stop } = watchRoutes();
  const daemon = await startDaemon(t, { tokens: tokens() });
  stop();
  daemon.controller.behaviour = refuseWith('OVERLOADED', 'as ever');
  return { daemon, routes: routes.filter(({ path }) => !path.includes('*')) };
}

function at(daemon: Daemon, { method, path }: Registered, headers: Record<string, string>) {
  const isDebug = /^\/(debug|metrics)/.test(path);
  const place = path.replace(':type', 'python').replace(':id', taskId);
  return ask(isDebug ? daemon.debugAddress : daemon.address, { method, path: place, headers });
}

const refused = (answer: Answer) =>
  answer.status === 401 || (answer.status === 403 && /INSUFFICIENT|GROUP/.test(answer.text));

t.test('every route says who may use it, and nobody else may', async (t) => {
  const { daemon, routes } = await start(t);
  t.ok(routes.length > 25, 'they are found');
  // One a route: an address may not fail as often as there are routes and ways.
  const invalid: Record<string, string>[] = [{}, bearer('x'), bearer(expired.token)];
  for (const [index, route] of routes.filter(({ method }) => method !== 'HEAD').entries()) {
    const name = `${route.method} ${route.path}`;
    const need = needOf(route.method, route.path);
    const wanted = need === 'read-all' ? 'read' : need;
    for (const [scope, { token }] of all) {
      daemon.controller.received.length = 0;
      const answer = await at(daemon, route, bearer(token));
      const may = ['open', 'token', scope].includes(wanted) || scope === 'admin';
      t.equal(refused(answer), !may, `${scope} at ${name}`);
      if (may) continue;
      const problem = assertProblem(t, answer, 403, 'INSUFFICIENT_SCOPE');
      t.equal(problem.scope, wanted);
      t.equal(
        answer.headers['www-authenticate'],
        `Bearer realm="scriptd", error="insufficient_scope", scope="${wanted}"`,
      );
      t.same(daemon.controller.received, [], 'the controller is not asked');
    }
    if (need === 'open') continue;
    daemon.controller.received.length = 0;
    const headers = invalid[index % invalid.length] ?? {};
    assertProblem(t, await at(daemon, route, headers), 401, 'UNAUTHORIZED');
    t.same(daemon.controller.received, [], `without a token nothing is asked at ${name}`);
  }
});

t.test('HEAD asks for the same as GET', async (t) => {
  const { daemon, routes } = await start(t);
  const heads = routes.filter(({ method }) => method === 'HEAD');
  t.ok(heads.length > 5, 'they are found');
  for (const route of heads) {
    for (const [scope, { token }] of all) {
      const { status } = await at(daemon, route, bearer(token));
      const same = (await at(daemon, { ...route, method: 'GET' }, bearer(token))).status;
      t.equal(status, same, `${scope} at ${route.path}`);
    }
    const open = needOf('GET', route.path) === 'open';
    t.equal((await at(daemon, route, {})).status === 401, !open, route.path);
  }
});

t.test('what has no row is not served: the daemon does not even start', async (t) => {
  const options = {
    guard: new Guard({ tokens: tokens(), noAuth: false, allowedHosts: [] }),
    audit: new Audit(silentLog),
    isDraining: () => false,
    unsent: new UnsentAnswers(),
    room: new BodyRoom(),
    connections: new Connections(),
    figures: new RequestFigures('http'),
    log: silentLog,
  };
  t.throws(
    () => createApp(options, (app) => app.get('/v1/secrets', async () => 'all of them')),
    /GET \/v1\/secrets has no row in scopes.ts/,
  );
  t.throws(
    () => createApp(options, (app) => app.delete('/v1/tasks/:id', async () => 'gone')),
    /DELETE \/v1\/tasks\/:id has no row/,
  );
  t.throws(() => needOf(['GET', 'POST'], '/v1/tasks'), /different rows/);
  t.throws(() => needOf('GET', '/v1/tasks/'), /no row/);
  t.doesNotThrow(() => Fastify().get('/v1/secrets', async () => ''), 'it is ours that refuses');
});

t.test('paths and methods that are not there ask for a token, of whatever scope', async (t) => {
  const { daemon } = await start(t);
  const read = bearer(all.get('read')?.token ?? '');
  for (const [method, path, status] of [
    ['GET', '/nowhere', 404],
    ['GET', '/debug/state', 404],
    ['PUT', '/v1/tasks', 405],
    ['DELETE', '/healthz', 405],
    ['POST', '/', 405],
  ] as const) {
    assertProblem(t, await daemon.ask({ method, path }), 401, 'UNAUTHORIZED');
    t.equal((await daemon.ask({ method, path, headers: read })).status, status);
  }
});

t.test('a token that is bound to a group is not shown what is of all groups', async (t) => {
  const { daemon, routes } = await start(t);
  const whole = routes.filter(({ method, path }) => needOf(method, path) === 'read-all');
  t.ok(whole.length >= 2);
  for (const route of whole.filter(({ method }) => method === 'GET')) {
    const answer = await at(daemon, route, bearer(bound.token));
    assertProblem(t, answer, 403, 'GROUP_NOT_ALLOWED');
  }
  t.same(daemon.controller.received, []);
});

t.test('an expired token says so, and a mangled one that it is not whole', async (t) => {
  const { daemon } = await start(t);
  const detail = async (token: string) => {
    const answer = await daemon.ask({ path: '/v1/session', headers: bearer(token) });
    t.match(answer.headers['www-authenticate'], /error="invalid_token"/);
    return assertProblem(t, answer, 401, 'UNAUTHORIZED').detail;
  };
  t.match(await detail(expired.token), /expired at 2026-01-01T00:00:00.000Z/);
  t.match(await detail(bound.token.slice(0, -1)), /not whole/);
  t.match(await detail(sampleToken().token), /not one of this service/);
});
