import http, { type RequestListener } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { Connections } from '../../src/http/connections.js';
import { httpLimits } from '../../src/http/limits.js';
import { RawClient } from './raw.js';

const get = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';

/** A limit that a test could not wait for. */
function lower(t: Test, name: keyof typeof httpLimits, value: number): void {
  const before = httpLimits[name];
  Object.assign(httpLimits, { [name]: value });
  t.teardown(() => Object.assign(httpLimits, { [name]: before }));
}

/** A server of so many connections, and its sockets in the order of their arrival. */
async function serve(t: Test, max: number, handle: RequestListener) {
  const server = http.createServer(handle).on('checkContinue', handle);
  const sockets: net.Socket[] = [];
  server.on('connection', (socket) => sockets.push(socket));
  new Connections(max).watch(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { port, address: `http://127.0.0.1:${port}`, sockets };
}

/** Asks, and never reads the answer. */
async function openDeaf(t: Test, port: number): Promise<net.Socket> {
  const socket = net.connect(port, '127.0.0.1').pause();
  socket.on('error', () => undefined);
  t.teardown(() => socket.destroy());
  await new Promise((resolve) => socket.write(get, resolve));
  return socket;
}

/** More than the kernel keeps for anybody. */
const large = Buffer.alloc(64 * 1024 * 1024);
/** Answers at once, but for one long poll. */
const answering: RequestListener = (request, response) => {
  if (request.url === '/') response.end(large);
  else if (request.url === '/small') response.end('small');
};

t.test(
  'a connection with far too many requests ahead is closed before they are handled',
  async (t) => {
    for (const more of ['', 'Expect: 100-continue\r\nContent-Length: 1\r\n']) {
      let handled = 0;
      const { address } = await serve(t, 10, () => {
        handled += 1;
      });
      const client = await RawClient.open(t, address);
      const ask = get.replace('\r\n\r\n', `\r\n${more}\r\n`) + (more && 'x');
      const most = 2 * httpLimits.requestsAheadMax;
      client.write(ask.repeat(most));
      while (handled < most) await new Promise((resolve) => setImmediate(resolve));
      t.equal(client.closed, false, 'so many are handled');
      client.write(ask.repeat(1_000));
      await client.end();
      t.equal(handled, most, 'and not one more');
    }
  },
);

t.test(
  'connections whose clients do not read give way when there are as many as may be',
  async (t) => {
    lower(t, 'stuckCheckMs', 50);
    const max = 6;
    let asked = 0;
    const { port, address, sockets } = await serve(t, max, (request, response) => {
      asked += 1;
      answering(request, response);
    });
    const waiting = await RawClient.open(t, address);
    waiting.write(get.replace('/', '/later'));
    for (let count = 1; count < max; count++) await openDeaf(t, port);
    // Until then they are idle.
    while (asked < max) await new Promise((resolve) => setImmediate(resolve));
    let text = '';
    for (let time = 0; time < 100 && text === ''; time++) {
      const client = await RawClient.open(t, address);
      client.write(get.replace('/', '/small'));
      text = await client.reads('small').catch(() => '');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    t.match(text, /^HTTP\/1\.1 200 /, 'there is room for another');
    t.equal(sockets[0]?.destroyed, false, 'who waits for an answer stays');
  },
);

t.test('a connection whose client does not read for long is closed', async (t) => {
  lower(t, 'stuckCheckMs', 50);
  // Far longer than anything here stands still by itself.
  lower(t, 'batchStallMs', 3_000);
  const { port, address, sockets } = await serve(t, 10, answering);
  const waiting = await RawClient.open(t, address);
  waiting.write(get.replace('/', '/later'));
  await openDeaf(t, port);
  const slow = await openDeaf(t, port);
  let bytes = 0;
  slow.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    slow.pause();
    setTimeout(() => slow.resume(), 5);
  });
  slow.resume();
  await new Promise((resolve) => sockets[1]?.once('close', resolve));
  t.equal(waiting.closed, false, 'who waits for an answer stays');
  while (bytes < large.length) {
    if (sockets[2]?.destroyed) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  t.ok(bytes >= large.length, 'and who reads slowly has all of it');
});
