import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Answer, type PostOptions, post } from '../../src/webhooks/post.js';
import { Reach } from '../../src/webhooks/reach.js';
import { temporaryFolder } from '../store/fixtures.js';
import { Receiver } from './receiver.js';

const reach = new Reach(['127.0.0.1']);

function send(url: string, options: Partial<PostOptions> = {}): Promise<Answer> {
  const headers = { 'content-type': 'application/json', 'webhook-id': 'x' };
  return post({ url, headers, body: '{"a":1}', tries: 0 }, { reach, ...options });
}

async function answering(t: Test, respond: (response: ServerResponse) => void) {
  return (await Receiver.start(t, respond)).origin;
}

/** A server that speaks for itself. */
async function speaking(t: Test, talk: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => talk(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

t.test('what is sent arrives as it is', async (t) => {
  const receiver = await Receiver.start(t);
  t.same(await send(`${receiver.origin}/a?b=c`), { status: 200 });
  const [{ path, headers, body } = { path: '', headers: {}, body: '' }] = receiver.received;
  t.same({ path, body }, { path: '/a?b=c', body: '{"a":1}' });
  t.match(headers, {
    host: `127.0.0.1:${receiver.port}`,
    'content-length': '7',
    'webhook-id': 'x',
  });
});

t.test('an answer says whether and when to try again', async (t) => {
  const status = (code: number, headers = {}) =>
    answering(t, (response) => response.writeHead(code, headers).end());
  t.match(await send(await status(500)), { status: 500, error: /answered 500/ });
  const busy = await send(await status(503, { 'retry-after': '120' }));
  t.match(busy, { status: 503, retryAfterMs: 120_000 });
  const never = await send(await status(429, { 'retry-after': '999999999' }));
  t.equal(never.retryAfterMs, 3 * 60 * 60 * 1000, 'not for longer than it may');
  t.notOk((await send(await status(429, { 'retry-after': 'soon' }))).retryAfterMs);
  t.match(await send(await status(410)), { status: 410, final: true });
  t.notOk((await send(await status(204))).error);
});

t.test('a redirect is not followed', async (t) => {
  const inside = await Receiver.start(t);
  const location = `${inside.origin}/latest/meta-data`;
  for (const code of [301, 302, 307, 308]) {
    const origin = await answering(t, (response) => response.writeHead(code, { location }).end());
    t.match(await send(origin), { status: code, error: /redirects are not followed/ });
  }
  t.same(inside.received, []);
});

t.test('a receiver that does not answer is not waited for', async (t) => {
  const late = /no answer within 200 ms/;
  const origin = await answering(t, () => undefined);
  t.match(await send(origin, { attemptMs: 200 }), { error: late });
  const dripping = await speaking(t, (socket) => {
    const drip = setInterval(() => socket.write('X'), 10);
    socket.on('close', () => clearInterval(drip));
    socket.write('HTTP/1.1 200 OK\r\nA: ');
  });
  t.match(await send(dripping, { attemptMs: 200 }), { error: late });
  const continuing = await speaking(t, (socket) => {
    const drip = setInterval(() => socket.write('HTTP/1.1 102 Processing\r\n\r\n'), 10);
    socket.on('close', () => clearInterval(drip));
  });
  t.match(await send(continuing, { attemptMs: 200 }), { error: late });
  const nameless = send('http://slow.test/', {
    attemptMs: 200,
    lookup: () => new Promise(() => undefined),
  });
  t.match(await nameless, { error: late });
});

t.test('a body without end is cut off, and the answer counts', async (t) => {
  const flood = await speaking(t, (socket) => {
    const more = () => {
      while (!socket.destroyed && socket.write(Buffer.alloc(65_536, 120)));
    };
    socket.on('drain', more);
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    more();
  });
  t.same(await send(flood), { status: 200 });
  const silent = await speaking(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n');
  });
  t.same(await send(silent, { answerBodyMs: 50 }), { status: 200 });
});

t.test('what is no HTTP is an error, and so is a head that is too large', async (t) => {
  const huge = await speaking(t, (socket) => {
    socket.write(`HTTP/1.1 200 OK\r\nA: ${'x'.repeat(64 * 1024)}\r\n\r\n`);
  });
  t.match(await send(huge), { error: /Header overflow|HPE_HEADER_OVERFLOW/i });
  const rude = await speaking(t, (socket) => socket.end('SSH-2.0-OpenSSH\r\n'));
  t.match(await send(rude), { error: /HPE/ });
  for (const [line, answer] of [
    ['000', { error: 'the receiver answered 0, which is no status of HTTP' }],
    ['099', { error: 'the receiver answered 99, which is no status of HTTP' }],
    ['999', { status: 999, error: 'the receiver answered 999' }],
  ] as const) {
    const odd = await speaking(t, (socket) => socket.end(`HTTP/1.1 ${line} X\r\n\r\n`));
    t.same(await send(odd), answer);
  }
  const gone = await speaking(t, (socket) => socket.destroy());
  t.ok((await send(gone)).error);
  const switching = await speaking(t, (socket) => {
    socket.write('HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n');
  });
  t.ok((await send(switching, { attemptMs: 2_000 })).error);
});

t.test('a name that leads inside is refused, and so is one that changes its mind', async (t) => {
  const inside = await Receiver.start(t);
  const outside = new Reach([]);
  const url = `http://rebinding.test:${inside.port}/`;
  for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.1', '10.0.0.1', '64:ff9b::7f00:1']) {
    const answer = await send(url, { reach: outside, lookup: async () => [{ address }] });
    t.match(answer, { final: true, error: /leads to no address/ });
    t.notMatch(answer.error, address, 'and what it leads to is not told');
  }
  // Each look-up says something else: only what was checked is connected to.
  let lookups = 0;
  const lookup = async () => {
    lookups += 1;
    return [{ address: lookups === 1 ? '127.0.0.1' : '127.0.0.2' }];
  };
  t.same(await send(url, { reach, lookup }), { status: 200 });
  t.equal(lookups, 1, 'nobody asks again between the check and the connection');
  t.equal(inside.received[0]?.headers.host, `rebinding.test:${inside.port}`);
  const mixed = async () => [{ address: '10.0.0.1' }, { address: '127.0.0.1' }];
  t.same(await send(url, { reach, lookup: mixed }), { status: 200 }, 'only where it may');
  t.same(await send(`http://127.0.0.1:${inside.port}/`, { reach: outside }), {
    error: '127.0.0.1 leads to no address that webhooks may have',
    final: true,
  });
  const unknown = await send('http://nowhere.test/', {
    lookup: () => Promise.reject(Object.assign(new Error('not found'), { code: 'ENOTFOUND' })),
  });
  t.match(unknown, { error: /nowhere.test is not found/ });
  t.notOk(unknown.final);
});

t.test('a certificate that nobody vouches for is refused', async (t) => {
  const folder = temporaryFolder(t);
  const [key, cert] = [join(folder, 'key'), join(folder, 'cert')];
  const subject = ['-subj', '/CN=hook.test', '-days', '1', '-nodes'];
  const files = ['-keyout', key, '-out', cert];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  execFileSync('openssl', ['req', '-x509', ...kind, ...files, ...subject], { stdio: 'ignore' });
  let requests = 0;
  const options = { key: readFileSync(key), cert: readFileSync(cert) };
  const server = createTlsServer(options, (_request, response) => {
    requests += 1;
    response.end();
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const lookup = async () => [{ address: '127.0.0.1' }];
  t.match(await send(`https://hook.test:${port}/`, { lookup }), { error: /self.signed/i });
  t.match(await send(`https://127.0.0.1:${port}/`), { error: /self.signed/i });
  t.equal(requests, 0, 'nothing was sent');
});
