import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { httpLimits } from '../../src/http/limits.js';
import { limits } from '../../src/limits.js';
import { assertProblem, exchange, startDaemon } from './daemon.js';
import { answerWith, finished, pending, silent } from './fake-controller.js';
import { BatchCall } from './lines.js';
import { RawClient } from './raw.js';

const host = 'Host: localhost\r\n';
const json = 'Content-Type: application/json\r\n';
const post = (path: string, headers: string, body = '') =>
  `POST ${path} HTTP/1.1\r\n${host}Connection: close\r\n${headers}\r\n${body}`;
const task = '{"code":"1"}';

/** A limit that a test could not wait for, or fill. */
function lower(t: Test, name: keyof typeof httpLimits, value: number): void {
  const before = httpLimits[name];
  Object.assign(httpLimits, { [name]: value });
  t.teardown(() => Object.assign(httpLimits, { [name]: before }));
}

t.test('a message that two readers could cut in two ways is refused', async (t) => {
  const { address, ask, controller } = await startDaemon(t);
  controller.behaviour = answerWith(pending());
  const smuggled = 'GET /execute?code=smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n';
  const both = `${json}Content-Length: ${task.length}\r\n`;
  const cases: [string, string][] = [
    [
      'length and chunked',
      post('/v1/tasks', `${both}Transfer-Encoding: chunked\r\n`, `0\r\n\r\n${smuggled}`),
    ],
    ['two lengths', post('/v1/tasks', `${both}Content-Length: 0\r\n`, task + smuggled)],
    ['a list of lengths', post('/v1/tasks', `${json}Content-Length: 12, 12\r\n`, task)],
    ['a signed length', post('/v1/tasks', `${json}Content-Length: +12\r\n`, task)],
    ['a negative length', post('/v1/tasks', `${json}Content-Length: -1\r\n`, task)],
    ['a hexadecimal length', post('/v1/tasks', `${json}Content-Length: 0xc\r\n`, task)],
    ['a huge length', post('/v1/tasks', `${json}Content-Length: ${'9'.repeat(30)}\r\n`, task)],
    ['a space before the colon', post('/v1/tasks', `${json}Content-Length : 12\r\n`, task)],
    [
      'chunked not last',
      post('/v1/tasks', `${json}Transfer-Encoding: chunked, identity\r\n`, '0\r\n\r\n'),
    ],
    [
      'chunked that is not',
      post('/v1/tasks', `${json}Transfer-Encoding: xchunked\r\n`, '0\r\n\r\n'),
    ],
    [
      'a chunk without a size',
      post('/v1/tasks', `${json}Transfer-Encoding: chunked\r\n`, 'zz\r\n'),
    ],
    [
      'a chunk of too large a size',
      post('/v1/tasks', `${json}Transfer-Encoding: chunked\r\n`, `${'f'.repeat(20)}\r\n`),
    ],
    [
      'a chunk that is longer than it says',
      post('/v1/tasks', `${json}Transfer-Encoding: chunked\r\n`, '1\r\n{}\r\n0\r\n\r\n'),
    ],
    ['a NUL in a header', post('/v1/tasks', 'X: a\0b\r\n')],
    ['a header without a colon', post('/v1/tasks', 'nonsense\r\n')],
    ['a folded header', post('/v1/tasks', 'X: a\r\n b: c\r\n')],
    ['no path', `GET  HTTP/1.1\r\n${host}\r\n`],
    ['a name for a path', `GET execute?code=1 HTTP/1.1\r\n${host}Connection: close\r\n\r\n`],
    ['another protocol', `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`],
    ['two hosts', `GET / HTTP/1.1\r\n${host}${host}Connection: close\r\n\r\n`],
  ];
  for (const [what, bytes] of cases) {
    const text = await exchange(address, bytes);
    t.match(text, /^HTTP\/1\.1 4\d\d /, what);
    t.match(text, /application\/problem\+json/, what);
    t.equal(text.match(/^HTTP\/1\.1 /gm)?.length, 1, `${what}: one answer`);
  }
  t.same(controller.received, [], 'nothing ran');
  t.equal((await ask({ path: '/healthz' })).status, 200);
});

t.test('a body in another form than it has to be is 415, with the cure', async (t) => {
  const { ask, controller } = await startDaemon(t);
  const cases: [Record<string, string>, string | Buffer, string, RegExp][] = [
    [{}, task, 'UNSUPPORTED_CONTENT_TYPE', /application\/json/],
    [
      { 'content-type': 'application/json; charset=utf-16' },
      task,
      'UNSUPPORTED_CONTENT_TYPE',
      /UTF-8/,
    ],
    [
      { 'content-type': 'application/json;charset="latin1"' },
      task,
      'UNSUPPORTED_CONTENT_TYPE',
      /UTF-8/,
    ],
    [
      { 'content-type': 'application/jsonx' },
      task,
      'UNSUPPORTED_CONTENT_TYPE',
      /application\/json/,
    ],
    [
      { 'content-type': 'multipart/form-data; boundary=x' },
      task,
      'UNSUPPORTED_CONTENT_TYPE',
      /json/,
    ],
    [
      { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      gzipSync(task),
      'UNSUPPORTED_CONTENT_ENCODING',
      /as it is/,
    ],
    [
      { 'content-type': 'application/json', 'transfer-encoding': 'gzip, chunked' },
      gzipSync(task),
      'UNSUPPORTED_CONTENT_ENCODING',
      /as it is/,
    ],
  ];
  for (const path of ['/v1/tasks', '/v1/schedules']) {
    for (const [headers, body, code, detail] of cases) {
      const answer = await ask({ method: 'POST', path, headers, body });
      t.match(assertProblem(t, answer, 415, code).detail, detail);
      if (code === 'UNSUPPORTED_CONTENT_ENCODING') {
        t.equal(answer.headers['accept-encoding'], 'identity');
      }
    }
  }
  const zipped = { 'content-encoding': 'br' };
  const execute = await ask({ method: 'POST', path: '/execute', headers: zipped, body: '1' });
  assertProblem(t, execute, 415, 'UNSUPPORTED_CONTENT_ENCODING');
  t.same(controller.received, []);
  controller.behaviour = answerWith(pending());
  for (const type of ['application/json; charset=UTF-8', 'application/json;charset="utf-8"']) {
    const headers = { 'content-type': type, 'content-encoding': 'identity' };
    t.equal((await ask({ method: 'POST', path: '/v1/tasks', headers, body: task })).status, 201);
  }
});

t.test('what JSON leaves open is refused over HTTP too', async (t) => {
  const { ask, controller } = await startDaemon(t);
  const headers = { 'content-type': 'application/json' };
  const cases: [string, string, string | undefined][] = [
    ['{"code":"1","code":"2"}', 'INVALID_JSON', 'code'],
    ['{"code":"1","priority":1e400}', 'INVALID_FIELD', 'priority'],
    ['{"code":"1","delayMs":9007199254740993}', 'INVALID_FIELD', 'delayMs'],
    ['{"code":"1","limits":{"wallMs":1.5}}', 'INVALID_FIELD', 'limits.wallMs'],
    ['\ufeff{"code":"1"}', 'INVALID_JSON', undefined],
    ['{"code":"1","files":{"a":"","a":""}}', 'INVALID_JSON', 'files.a'],
  ];
  for (const [body, code, field] of cases) {
    const problem = assertProblem(
      t,
      await ask({ method: 'POST', path: '/v1/tasks', headers, body }),
      400,
      code,
    );
    t.equal(problem.field, field, body);
  }
  t.same(controller.received, []);
});

t.test('how long to wait is a number of seconds, or refused', async (t) => {
  const { ask, controller } = await startDaemon(t);
  const headers = { 'content-type': 'application/json' };
  for (const wait of ['-1', '1e3', '0x1', '601', '9'.repeat(30), '', '1.5', 'NaN', '%20', '+1']) {
    const answer = await ask({
      method: 'POST',
      path: `/v1/tasks?wait=${wait}`,
      headers,
      body: task,
    });
    t.equal(assertProblem(t, answer, 400, 'INVALID_FIELD').field, 'wait', wait);
  }
  t.same(controller.received, []);
  controller.behaviour = answerWith(pending());
  for (const prefer of [
    'wait=-1',
    'wait=1e9',
    'wait',
    'wait=',
    ',;,=;',
    `${'wait=x,'.repeat(5_000)}`,
  ]) {
    const asking = {
      method: 'POST',
      path: '/v1/tasks',
      headers: { ...headers, prefer },
      body: task,
    };
    t.equal((await ask(asking)).status, 201, 'a preference that is none is left aside');
  }
});

t.test('a client that asks before it sends is told to only when the body is wanted', async (t) => {
  const { address, controller } = await startDaemon(t);
  controller.behaviour = answerWith(pending());
  const asking = (length: number, more = '') =>
    `POST /v1/tasks HTTP/1.1\r\n${host}${json}${more}Content-Length: ${length}\r\nExpect: 100-continue\r\n\r\n`;
  const wanted = await RawClient.open(t, address);
  wanted.write(asking(task.length));
  t.match(await wanted.reads('\r\n\r\n'), /^HTTP\/1\.1 100 Continue\r\n\r\n$/);
  wanted.write(task);
  await wanted.reads('HTTP/1.1 201 ');
  for (const [head, status] of [
    [asking(limits.bodyBytesMax + 1), '413'],
    [asking(9, 'Content-Encoding: gzip\r\n'), '415'],
    [asking(9, 'Origin: http://evil.example\r\n'), '403'],
    [asking(9).replace('100-continue', '200-ok'), '417'],
    [asking(9).replace('/v1/tasks', '/nowhere'), '404'],
  ] as const) {
    const client = await RawClient.open(t, address);
    client.write(head);
    const text = await client.reads('"code"');
    t.match(text, new RegExp(`^HTTP/1\\.1 ${status} `), 'the first answer is the last');
    t.match(text, /"detail":"[^"]+"/);
  }
});

t.test('requests sent ahead beyond a number are refused, and those before answered', async (t) => {
  const { address, controller } = await startDaemon(t);
  controller.behaviour = silent;
  const most = httpLimits.requestsAheadMax;
  const client = await RawClient.open(t, address);
  const get = `GET /execute?code=1 HTTP/1.1\r\n${host}\r\n`;
  client.write(get.repeat(most + 10));
  const asked = [];
  for (let count = 0; count < most; count++) asked.push(await controller.next('submit'));
  for (const { requestId } of asked) controller.say({ kind: 'task', requestId, task: finished() });
  const text = await client.reads('HTTP/1.1 ', most + 10);
  t.equal(text.match(/HTTP\/1\.1 200 /g)?.length, most);
  t.equal(text.match(/HTTP\/1\.1 429 /g)?.length, 10);
  t.same(controller.received, [], 'no more ran');
});

t.test('a flood of headers is refused, or does not matter', async (t) => {
  const { address, ask } = await startDaemon(t);
  const head = `GET /healthz HTTP/1.1\r\n${host}Connection: close\r\n`;
  const many = await exchange(address, `${head}${'a: b\r\n'.repeat(5_000)}\r\n`);
  // Newer versions of Node take only so many.
  t.match(many, /^HTTP\/1\.1 (200 |431 .*HEADERS_TOO_LARGE)/s);
  const client = await RawClient.open(t, address);
  client.write(head);
  // Little more than it takes: what a closed socket has not read lets the kernel drop its answer.
  const line = `x: ${'y'.repeat(60_000)}\r\n`;
  const lines = Math.floor(httpLimits.headBytesMax / line.length);
  for (let n = 0; n < lines; n++) client.write(line);
  client.write(`z: ${'y'.repeat(httpLimits.headBytesMax + 20_000 - lines * line.length)}\r\n`);
  t.match(await client.reads('"code"'), /^HTTP\/1\.1 431 .*HEADERS_TOO_LARGE/s);
  t.equal((await ask({ path: '/healthz' })).status, 200);
});

t.test('a body that never ends is cut off', async (t) => {
  lower(t, 'lingerMs', 100);
  const { address, ask } = await startDaemon(t);
  const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
  for (const [path, status, code] of [
    ['/v1/tasks', 413, 'BODY_TOO_LARGE'],
    ['/execute', 413, 'BODY_TOO_LARGE'],
    ['/nowhere', 404, 'NOT_FOUND'],
    ['/healthz', 405, 'METHOD_NOT_ALLOWED'],
  ] as const) {
    const client = await RawClient.open(t, address);
    client.write(`POST ${path} HTTP/1.1\r\n${host}${json}Transfer-Encoding: chunked\r\n\r\n`);
    while (!client.closed) {
      client.write(chunk);
      await new Promise((resolve) => setImmediate(resolve));
    }
    t.match(client.text, new RegExp(`^HTTP/1\\.1 ${status} .*${code}`, 's'), path);
    t.equal(client.text.match(/^HTTP\/1\.1 /gm)?.length, 1, path);
  }
  t.equal((await ask({ path: '/healthz' })).status, 200);
});

t.test('a body that comes too slowly is refused with 408', async (t) => {
  lower(t, 'bodyReceiveMs', 50);
  lower(t, 'lingerMs', 50);
  const daemon = await startDaemon(t);
  daemon.controller.behaviour = answerWith(pending());
  for (const path of ['/v1/tasks', '/execute']) {
    const client = await RawClient.open(t, daemon.address);
    client.write(`POST ${path} HTTP/1.1\r\n${host}${json}Content-Length: 12\r\n\r\n{"code"`);
    t.match(await client.end(), /^HTTP\/1\.1 408 .*REQUEST_TIMEOUT/s, path);
  }
  const call = new BatchCall(t, daemon.address);
  call.write({ code: '1' }, '\n\n{"code"');
  t.match(await call.next(), { line: 1, status: 201 });
  t.match(await call.next(), { line: 4, status: 408, error: { code: 'REQUEST_TIMEOUT' } });
  t.equal(await call.next(), undefined, 'it ends with that');
  t.match(
    daemon.controller.received.map(({ kind }) => kind),
    ['submit'],
  );
});

t.test('slow bodies share what memory there is, and do not keep the others out', async (t) => {
  lower(t, 'receivedBytesMax', 1024 * 1024);
  const daemon = await startDaemon(t);
  daemon.controller.behaviour = answerWith(pending());
  const head = `POST /v1/tasks HTTP/1.1\r\n${host}${json}Content-Length: 1000000\r\n\r\n`;
  const part = 'x'.repeat(400_000);
  const slow = [];
  for (let count = 0; count < 2; count++) {
    const client = await RawClient.open(t, daemon.address);
    // Told to go on, it is known to be in reception: the order is certain.
    client.write(head.replace('Content-Length', 'Expect: 100-continue\r\nContent-Length'));
    await client.reads('100 Continue');
    client.write(part);
    slow.push(client);
  }
  const body = JSON.stringify({ code: 'x'.repeat(900_000) });
  const headers = { 'content-type': 'application/json' };
  const answer = await daemon.ask({ method: 'POST', path: '/v1/tasks', headers, body });
  t.equal(answer.status, 201, 'one that is quick has its answer');
  const text = await (slow[0] as RawClient).reads('"code"');
  t.match(
    text,
    /HTTP\/1\.1 429 .*retry-after: 1\r\n.*OVERLOADED/is,
    'the one that began first went',
  );
});

t.test('as many slow and idle clients as there may be leave the service to others', async (t) => {
  lower(t, 'connectionsMax', 20);
  const { address, ask, controller } = await startDaemon(t);
  controller.behaviour = silent;
  const waiting = await RawClient.open(t, address);
  waiting.write(`GET /execute?code=1 HTTP/1.1\r\n${host}\r\n`);
  const { requestId } = await controller.next('submit');
  const slow = [];
  for (let count = 0; count < 40; count++) {
    const client = await RawClient.open(t, address);
    client.write(count % 2 ? 'GET / HTTP/1.1\r\nX: ' : '');
    slow.push(client);
  }
  t.equal((await ask({ path: '/healthz' })).status, 200, 'there is room for another');
  await slow[0]?.end();
  t.equal(slow.at(-1)?.closed, false, 'those that came last are still there');
  controller.say({ kind: 'task', requestId, task: finished() });
  t.match(await waiting.reads('\r\n\r\n2\n'), /^HTTP\/1\.1 200 /, 'who waits for an answer stays');
});
