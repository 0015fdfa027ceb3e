import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { FastifyInstance, RouteOptions } from 'fastify';
import t, { type Test } from 'tap';
import { problemKinds } from '../../src/http/problem.js';
import { Tokens } from '../../src/http/tokens.js';
import { codes } from '../../src/verdict.js';
import { Contract, type OpenApi, type OperationJson } from './contract.js';
import { type Daemon, startDaemon } from './daemon.js';
import { refuseWith } from './fake-controller.js';

async function contractOf({ ask }: Daemon): Promise<Contract> {
  const answer = await ask({ path: '/openapi.json' });
  return new Contract(answer.json as unknown as OpenApi);
}

/** A daemon, and every route of its product port as Fastify is told of it. */
async function startWithRoutes(t: Test): Promise<{ daemon: Daemon; routes: RouteOptions[] }> {
  const apps: RouteOptions[][] = [];
  const onApp = (message: unknown) => {
    const routes: RouteOptions[] = [];
    apps.push(routes);
    const { fastify } = message as { fastify: FastifyInstance };
    fastify.addHook('onRoute', (route) => {
      routes.push(route);
    });
  };
  subscribe('fastify.initialization', onApp);
  t.teardown(() => unsubscribe('fastify.initialization', onApp));
  const daemon = await startDaemon(t);
  const routes = apps.find((app) => app.some(({ url }) => url === '/execute'));
  if (!routes) throw new Error('the routes of the product are not found');
  return { daemon, routes };
}

t.test('the document has every route, and no other', async (t) => {
  const { daemon, routes } = await startWithRoutes(t);
  const { document } = await contractOf(daemon);
  const documented = Object.entries(document.paths).flatMap(([path, members]) =>
    Object.keys(members).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const names = ({ method, url }: RouteOptions) =>
    [method].flat().map((name) => `${name} ${url.replace(/:(\w+)/g, '{$1}')}`);
  const told = routes.filter(({ config }) => !config?.undocumented).flatMap(names);
  const heads = told.filter((name) => name.startsWith('HEAD '));
  t.ok(told.length > 20, 'they are found');
  t.same(told.filter((name) => !heads.includes(name)).sort(), documented.sort());
  for (const head of heads) t.ok(documented.includes(head.replace('HEAD', 'GET')), head);
  // What the document does not speak of is its own page, and refusals.
  const untold = routes.filter(({ config }) => config?.undocumented).flatMap(names);
  const pages = untold.filter((name) => /^GET .*\/(docs|assets)/.test(name));
  t.equal(pages.length, 6);
  const refusals = untold
    .filter((name) => !/ \/(docs|assets)/.test(name))
    .map((name) => name.split(' '));
  // One for each path: they are many.
  for (const [path, method] of new Map(
    refusals.map(([method = '', path = '']) => [path, method]),
  )) {
    const answer = await daemon.ask({ method, path: path.replace(/\{\w+\}/g, 'x') });
    t.equal(answer.status, 405, `${method} ${path}`);
  }
});

t.test('what the document says of itself holds together', async (t) => {
  const contract = await contractOf(await startDaemon(t));
  const { document } = contract;
  const ids = contract.operations().map(({ operation }) => operation.operationId);
  t.equal(new Set(ids).size, ids.length, 'operationIds are unique');
  const text = JSON.stringify(document);
  for (const [, name = ''] of text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)) {
    if (!(name in document.components.schemas)) t.fail(`there is no schema ${name}`);
  }
  for (const name of Object.keys(document.components.schemas)) {
    t.ok(text.includes(`"#/components/schemas/${name}"`), `${name} is used`);
  }
  t.notMatch(text, /isBytes|undefined/, 'nothing that only our own validator knows');
  for (const { path, operation } of contract.operations()) {
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const said = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
    t.same(
      said.map(({ name, required }) => [name, required]),
      inPath.map((name) => [name, true]),
      `parameters of ${path}`,
    );
    for (const { links = {} } of Object.values(operation.responses)) {
      for (const { operationId } of Object.values(links)) t.ok(ids.includes(operationId));
    }
  }
});

t.test('every example fits its schema, and every body has one', async (t) => {
  const contract = await contractOf(await startDaemon(t));
  for (const { operation } of contract.operations()) {
    for (const { name, schema, example } of operation.parameters ?? []) {
      if (example === undefined) continue;
      t.equal(contract.misfit(schema, example), undefined, `${operation.operationId} ${name}`);
    }
    for (const [where, content] of contents(operation)) {
      const examples = Object.entries(content.examples ?? {});
      t.ok(examples.length > 0 || where.endsWith('octet-stream'), `${where} has an example`);
      for (const [name, { value }] of examples) {
        t.equal(contract.misfit(content.schema, value), undefined, `${where} ${name}`);
      }
    }
  }
});

function contents({ operationId, requestBody, responses }: OperationJson) {
  const bodies = Object.entries(requestBody?.content ?? {}).map(
    ([type, content]) => [`${operationId} body ${type}`, content] as const,
  );
  const answers = Object.entries(responses).flatMap(([status, { content = {} }]) =>
    Object.entries(content).map(
      ([type, one]) => [`${operationId} ${status} ${type}`, one] as const,
    ),
  );
  return [...bodies, ...answers];
}

t.test('every member of every schema is described', async (t) => {
  const { document } = await contractOf(await startDaemon(t));
  const undescribed: string[] = [];
  const visit = (value: unknown, path: string) => {
    if (typeof value !== 'object' || value === null) return;
    const { properties } = value as { properties?: Record<string, { description?: string }> };
    for (const [name, member] of Object.entries(properties ?? {})) {
      if (!member.description) undescribed.push(`${path}.${name}`);
    }
    for (const [name, member] of Object.entries(value)) visit(member, `${path}.${name}`);
  };
  visit(document.components.schemas, 'schemas');
  t.same(undescribed, []);
});

function exampleOf({ parameters = [] }: OperationJson, name: string): string {
  return String(parameters.find((parameter) => parameter.name === name)?.example);
}

/** Of every code in an answer of the document: the statuses that it comes with. */
function statusesOfCodes(contract: Contract): Map<string, Set<number>> {
  const found = new Map<string, Set<number>>();
  for (const { operation } of contract.operations()) {
    for (const [status, { content = {} }] of Object.entries(operation.responses)) {
      const schema = content['application/problem+json']?.schema as
        | { properties: { code: { enum: string[] } } }
        | undefined;
      for (const code of schema?.properties.code.enum ?? []) {
        found.set(code, (found.get(code) ?? new Set()).add(Number(status)));
      }
    }
  }
  return found;
}

t.test('every code is an answer of some route, with the status of the table', async (t) => {
  const statuses = statusesOfCodes(await contractOf(await startDaemon(t)));
  // Those of no route; and of who is not there any more to be told.
  const elsewhere = ['NOT_FOUND', 'METHOD_NOT_ALLOWED', 'CLIENT_GONE'];
  const all = [...Object.keys(problemKinds), ...codes].filter((code) => !elsewhere.includes(code));
  t.same([...statuses.keys()].sort(), [...new Set(all)].sort());
  for (const [code, { status }] of Object.entries(problemKinds)) {
    const said = [...(statuses.get(code) ?? [])];
    if (elsewhere.includes(code) || code === 'UNKNOWN_TYPE' || code === 'INTERNAL') continue;
    t.same(said, [status], code);
  }
});

t.test('whatever the controller refuses with is answered as the document says', async (t) => {
  const daemon = await startDaemon(t);
  const contract = await contractOf(daemon);
  const refusals = ['OVERLOADED', 'DRAINING', 'INTERNAL', 'UNKNOWN_TASK', 'NOT_FINISHED'];
  const storing = ['STORE_FULL', 'STORE_READ_ONLY', 'STORE_SLOW', 'GROUP_OVERLOADED', 'NO_ROUTE'];
  for (const { method, path, operation } of contract.operations()) {
    const text = JSON.stringify(operation.responses);
    const codes = [...refusals, ...storing].filter((code) => text.includes(`"${code}"`));
    const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => exampleOf(operation, name));
    const body = operation.requestBody?.content;
    const example = Object.values(body?.['application/json']?.examples ?? {})[0]?.value;
    for (const code of codes) {
      daemon.controller.behaviour = refuseWith(code, 'the controller says no');
      const answer = await daemon.ask({
        method: method.toUpperCase(),
        path: path === '/execute' && !body ? `${filled}?code=1` : filled,
        ...(example !== undefined && {
          body: JSON.stringify(example),
          headers: { 'content-type': 'application/json' },
        }),
      });
      contract.check(t, method, path, answer);
    }
  }
  for (const name of ['submitTask 507', 'getTask 404', 'putSchedule 503', 'executeUrl 429']) {
    t.ok(contract.seen.has(name), name);
  }
});

t.test('the document and its page are open, and what they speak of is not', async (t) => {
  const tokens = new Tokens(['a-token-of-the-tests-0123456789']);
  const daemon = await startDaemon(t, { tokens });
  const { ask } = daemon;
  const document = (await ask({ path: '/openapi.json' })).json as unknown as {
    info: { version: string };
    paths: Record<string, Record<string, { security?: object[]; responses: object }>>;
  };
  t.equal(document.info.version, '1', 'of the interface: strangers need not know the release');
  t.same(
    document.paths['/v1/tasks']?.get?.security,
    [{ bearer: ['read'] }],
    'a token is asked for, with its scope',
  );
  t.same(document.paths['/healthz']?.get?.security, [], 'but here');
  t.notOk('401' in (document.paths['/healthz']?.get?.responses ?? {}));
  t.ok('401' in (document.paths['/v1/tasks']?.get?.responses ?? {}));
  t.equal((await ask({ path: '/docs' })).status, 200);
  const contract = await contractOf(daemon);
  const refused = await ask({ path: '/v1/tasks' });
  t.equal(refused.status, 401);
  contract.check(t, 'GET', '/v1/tasks', refused);
  const open = await startDaemon(t);
  const without = (await open.ask({ path: '/openapi.json' })).json as unknown as typeof document;
  const { security } = without.paths['/v1/tasks']?.get ?? {};
  t.same(security, [{}, { bearer: ['read'] }], 'without tokens none is needed');
});

t.test('another site may not have its visitors read the document', async (t) => {
  const { ask } = await startDaemon(t);
  for (const path of ['/openapi.json', '/docs', '/docs/swagger-ui.js']) {
    const answer = await ask({ path, headers: { 'sec-fetch-site': 'cross-site' } });
    t.equal(answer.status, 403, path);
    t.equal((await ask({ path, headers: { host: 'evil.example' } })).status, 403, path);
  }
});

t.test('the page is whole, and allows nothing but itself', async (t) => {
  const { ask } = await startDaemon(t);
  const page = await ask({ path: '/docs' });
  t.match(page.headers['content-type'], /^text\/html/);
  for (const [, path = ''] of page.text.matchAll(/(?:src|href)="([^":]+)"/g)) {
    const asset = await ask({ path: `/${path}` });
    t.equal(asset.status, 200, path);
    t.ok(asset.body.length > 0);
    const head = await ask({ method: 'HEAD', path: `/${path}` });
    t.equal(head.headers['content-length'], String(asset.body.length));
  }
  const policy = String(page.headers['content-security-policy']);
  t.match(policy, /default-src 'none'/);
  t.notMatch(policy, /unsafe|https?:|\*/);
  t.equal((await ask({ path: '/docs/../package.json' })).status, 404);
});
