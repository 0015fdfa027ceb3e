import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { packageRoot } from '../../src/native.js';
import { Service, until } from '../cli/service.js';
import { Door, type Passed } from './door.js';

const executablePath = '/usr/bin/chromium';
const isThere = existsSync(executablePath) || process.env.SCRIPTD_TEST_ALL;
const skip = isThere ? false : `there is no ${executablePath}: apt-get install chromium`;
const options = { skip, timeout: 300_000 };

/** Names that the browser finds on this host: a hostile page's, a rebound one's, the service's own. */
const [hostile, rebound, allowed] = ['evil.example', 'rebind.example', 'box.example'];
const page = readFileSync(join(packageRoot, 'test/fixtures/hostile-page.html'));

async function launch(t: Test): Promise<Browser> {
  const names = [hostile, rebound, allowed].map((name) => `MAP ${name} 127.0.0.1`);
  const args = ['--no-sandbox', `--host-resolver-rules=${names.join(',')}`];
  const browser = await chromium.launch({ executablePath, args, timeout: 120_000 });
  t.teardown(() => browser.close());
  return browser;
}

async function open(t: Test, url: string): Promise<Page> {
  const browser = await launch(t);
  const opened = await browser.newPage();
  opened.setDefaultTimeout(120_000);
  await opened.goto(url);
  return opened;
}

/** A server of somebody else, on every name of this host. It redirects wherever its page wants. */
async function hostileServer(t: Test): Promise<number> {
  const server = createServer((request, response) => {
    const to = new URL(request.url ?? '/', 'http://any.example').searchParams.get('to');
    response.setHeader('connection', 'close');
    if (to !== null) response.writeHead(302, { location: to }).end();
    else response.setHeader('content-type', 'text/html').end(page);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

async function start(t: Test, ...args: string[]): Promise<{ service: Service; door: Door }> {
  const service = await Service.start(t, ['--workers', 'bash=1', ...args]);
  const door = await Door.open(t, Number(new URL(service.address).port));
  return { service, door };
}

async function tasksOf(service: Service): Promise<unknown[]> {
  const { json } = await service.request('GET', '/v1/tasks?limit=200');
  return json.tasks as unknown[];
}

/**
 * Has the page try everything, and waits until each way was answered. Returns the answers. A browser
 * that meets a connection which is just being closed asks again on another.
 */
async function attack(page: Page, door: Door, base: string): Promise<Passed[]> {
  door.requests.length = 0;
  const ways = (await page.evaluate(`attack(${JSON.stringify(base)})`)) as string[];
  const answersOf = (way: string) =>
    door.requests.filter(({ url, status }) => status !== 0 && new RegExp(way).test(url));
  const isOpen = (way: string) =>
    answersOf(way).length === 0 || answersOf(way).some(({ status }) => status === undefined);
  await until('every way is answered', () => !ways.some(isOpen)).catch((error) => {
    throw new Error(`${String(error)}: ${ways.filter(isOpen).join(' ')}`);
  });
  return ways.flatMap(answersOf);
}

t.test('a page of another site runs nothing, whatever it tries', options, async (t) => {
  const { service, door } = await start(t, '--allowed-hosts', allowed);
  const port = await hostileServer(t);
  for (const name of ['127.0.0.1', 'localhost', allowed]) {
    const opened = await open(t, `http://${hostile}:${port}/`);
    const answers = await attack(opened, door, `http://${name}:${door.port}`);
    t.ok(answers.length >= 25, `${answers.length} requests came to ${name}`);
    const served = answers.filter(({ status }) => status !== 403);
    t.same(served, [], `all were refused at ${name}`);
    t.same(await tasksOf(service), [], 'nothing ran');
    await opened.context().browser()?.close();
  }
});

t.test('a page of the same host on another port is another site', options, async (t) => {
  const { service, door } = await start(t);
  const opened = await open(t, `http://127.0.0.1:${await hostileServer(t)}/`);
  const answers = await attack(opened, door, `http://127.0.0.1:${door.port}`);
  const served = answers.filter(({ status }) => status !== 403);
  t.same(served, []);
  t.same(await tasksOf(service), []);
});

t.test('a name that is rebound to this host runs nothing and reads nothing', options, async (t) => {
  const { service, door } = await start(t);
  const innerPort = door.target;
  door.target = await hostileServer(t);
  const opened = await open(t, `http://${rebound}:${door.port}/`);
  t.equal(await opened.title(), 'A page of somebody else');
  door.target = innerPort;
  const answers = (await opened.evaluate(`(async () => {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ type: 'bash', code: 'echo 1' });
    const answers = [
      await fetch('/execute?type=bash&code=echo'),
      await fetch('/execute?type=bash', { method: 'POST', body: 'echo' }),
      await fetch('/v1/tasks', { method: 'POST', headers, body }),
      await fetch('/v1/tasks'),
      await fetch('/'),
    ];
    return Promise.all(answers.map((answer) => answer.json()));
  })()`)) as { code: string }[];
  const codes = answers.map(({ code }) => code);
  t.same(codes, Array(5).fill('HOST_NOT_ALLOWED'), 'of the same origin, and still refused');
  t.same(await tasksOf(service), []);
});

t.test('pages of the service itself work, and so does the address bar', options, async (t) => {
  const { service, door } = await start(t, '--allowed-hosts', allowed);
  for (const name of ['127.0.0.1', 'localhost']) {
    const opened = await open(t, `http://${name}:${door.port}/execute?type=bash&code=echo+typed`);
    t.equal(await opened.evaluate('document.body.innerText.trim()'), 'typed');
    const get = `fetch('/execute?type=bash&code=echo+fetched').then((answer) => answer.text())`;
    t.equal(await opened.evaluate(get), 'fetched\n');
    await opened.context().browser()?.close();
  }
  const opened = await open(t, `http://${allowed}:${door.port}/`);
  const post = `fetch('/execute?type=bash', { method: 'POST', body: 'echo posted' })`;
  t.equal(await opened.evaluate(`${post}.then((answer) => answer.text())`), 'posted\n');
  t.equal((await tasksOf(service)).length, 5);
});
