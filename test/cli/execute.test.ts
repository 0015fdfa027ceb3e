import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { packageRoot } from '../../src/native.js';
import { quotePlus, Service } from './service.js';

/** What python3 itself prints for a script. */
function runDirectly(code: string): Buffer {
  const run = spawnSync('python3', ['-X', 'utf8', '-c', code], { maxBuffer: 1 << 26 });
  if (run.status !== 0) throw new Error(String(run.stderr));
  return run.stdout;
}

t.test('a script goes in over HTTP and its output comes back', async (t) => {
  // The crawler needs the network, which /execute has where its type allows it.
  const config = 'runtimes: { python: { network: host } }\n';
  const service = await Service.start(t, ['--workers', 'python=2,node=1,bash=1'], config);

  await t.test('encoded once or twice, it is the same script', async (t) => {
    for (const code of ['print%281%2B1%29', 'print%25281%252B1%2529']) {
      const answer = await service.request('GET', `/execute?code=${code}`);
      t.equal(answer.status, 200);
      t.equal(answer.body.toString(), '2\n');
      t.equal(answer.headers['x-task-outcome'], 'success');
      t.match(answer.headers['x-task-id'], /^[0-9a-f-]{36}$/);
    }
  });

  await t.test(
    '60 KB with non-ASCII text, encoded twice, answer what python3 prints',
    async (t) => {
      const lines = ['import sys', '# größer, 日本語, emoji 😀 and + % & = ? #'];
      for (let index = 0; Buffer.byteLength(lines.join('\n')) < 60 * 1024; index++) {
        lines.push(`print("Zeile ${index}: äöü ß → 漢字 😀 %41 + %zz", ${index} + 1)`);
      }
      const code = `${lines.join('\n')}\nsys.stdout.flush()\nsys.stdout.buffer.write(bytes(range(256)))\n`;
      const answer = await service.request('GET', `/execute?code=${quotePlus(quotePlus(code))}`);
      t.equal(answer.status, 200);
      t.ok(answer.body.equals(runDirectly(code)), 'the same bytes');
    },
  );

  await t.test('every built-in type runs', async (t) => {
    const cases = { python: 'print(6*7)', node: 'console.log(6*7)', bash: 'echo $((6*7))' };
    for (const [type, code] of Object.entries(cases)) {
      const answer = await service.execute(code, `?type=${type}`);
      t.equal(answer.body.toString(), '42\n', type);
    }
  });

  await t.test('a crawler of 100 lines prints the same JSON as when run directly', async (t) => {
    const site = await startSite();
    t.teardown(() => site.close());
    const start = `http://127.0.0.1:${(site.address() as AddressInfo).port}/`;
    const crawler = readFileSync(join(packageRoot, 'test', 'fixtures', 'crawler.py'), 'utf8');
    const code = `START_URL = ${JSON.stringify(start)}\n${crawler}`;
    t.ok(code.split('\n').length > 100);
    const [answer, direct] = await Promise.all([service.execute(code), runAside(code)]);
    t.equal(answer.status, 200);
    const report = JSON.parse(answer.body.toString()) as { pages: unknown[]; errors: object };
    t.equal(report.pages.length, sitePages);
    t.same(Object.values(report.errors), [404]);
    t.equal(answer.body.toString(), direct);
  });

  await t.test('200 different scripts from 32 clients each answer their own output', async (t) => {
    const codes = Array.from(
      { length: 200 },
      (_, index) => `print("script", ${index}, ${index} ** 2)`,
    );
    const wrong: string[] = [];
    let next = 0;
    const client = async () => {
      for (let index = next++; index < codes.length; index = next++) {
        const answer = await service.execute(codes[index] ?? '');
        const expected = `script ${index} ${index ** 2}\n`;
        if (answer.body.toString() !== expected) wrong.push(`${index}: ${answer.body}`);
      }
    };
    await Promise.all(Array.from({ length: 32 }, client));
    t.same(wrong, []);
  });

  await t.test('a task that is submitted can be waited for, read and cancelled', async (t) => {
    const waited = await service.submit(
      { code: 'print(input())', type: 'python', stdin: 'hi\n' },
      '?wait=30',
    );
    t.equal(waited.status, 200);
    t.match(waited.json, { state: 'finished', outcome: 'success', stdout: 'hi\n', attempt: 1 });
    const read = await service.request('GET', `/v1/tasks/${waited.json.id}`);
    t.same(read.json, waited.json);
    const slow = await service.submit({
      code: 'import time; time.sleep(600)',
      limits: { wallMs: 600_000 },
    });
    t.equal(slow.status, 201);
    t.equal(slow.json.type, 'python', 'guessed from the code');
    const cancelled = await service.request('POST', `/v1/tasks/${slow.json.id}/cancel`);
    t.match(cancelled.json, { state: 'finished', outcome: 'cancelled', code: 'CANCELLED' });
  });

  await t.test('a client that goes away takes its script with it', async (t) => {
    // A connection of the script's own: it stands for as long as the script lives.
    const server = createTcpServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.teardown(() => server.close());
    const { port } = server.address() as AddressInfo;
    const connected = once(server, 'connection');
    const controller = new AbortController();
    const code = `import socket, time
held = socket.create_connection(("127.0.0.1", ${port}))
time.sleep(600)`;
    const request = fetch(`${service.address}/execute`, {
      method: 'POST',
      body: code,
      signal: controller.signal,
    });
    const [held] = (await connected) as [Socket];
    const closed = once(held.resume(), 'close');
    controller.abort();
    await t.rejects(request);
    await closed;
    t.pass('the script is gone');
  });

  await t.test('SIGTERM ends it, with nothing left behind', async (t) => {
    t.same(await service.stop(), { code: 0, signal: null });
    t.same(service.processes(), []);
  });
});

const sitePages = 12;

/** A web server of this host: pages that link to each other, one dead link. */
function startSite() {
  const server = createServer((request, response) => {
    const number = Number(/^\/(?:page-(\d+))?$/.exec(request.url ?? '')?.[1] ?? 0);
    const known = request.url === '/' || /^\/page-\d+$/.test(request.url ?? '');
    if (!known || number >= sitePages) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('no such page');
      return;
    }
    const targets = [number + 1, number * 2].map((to) => to % sitePages).filter((to) => to > 0);
    const links = targets.map((to) => `<a href="/page-${to}">Seite ${to}</a>`);
    const dead = number === 3 ? '<a href="gone.html">weg</a>' : '';
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(
      `<html><head><title>Seite ${number} ü</title><style>x{}</style></head><body>
       <h1>Überschrift ${number}</h1><p>Text &amp; mehr.</p>${links.join(' ')}${dead}
       <a href="https://elsewhere.invalid/">fort</a><a href="/">Anfang</a></body></html>`,
    );
  });
  return new Promise<typeof server>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}

/** Like runDirectly, without holding up the web server that lives in this process. */
async function runAside(code: string): Promise<string> {
  const { execFile } = await import('node:child_process');
  return new Promise((resolve, reject) => {
    execFile('python3', ['-X', 'utf8', '-c', code], (error, stdout) => {
      if (error) reject(error);
      else resolve(stdout);
    });
  });
}
