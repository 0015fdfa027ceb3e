import { createHash, randomBytes } from 'node:crypto';
import t from 'tap';
import { ScriptdError } from '../../src/errors.js';
import { parseAddress } from '../../src/poll/address.js';
import { pollLimits } from '../../src/poll/limits.js';
import {
  type Connection,
  connection,
  loopTurns,
  makePoller,
  Recorder,
  unixAddress,
  until,
} from './rig.js';

const loopback = parseAddress('tcp://127.0.0.1:0');

for (const kind of ['unix', 'tcp'] as const) {
  t.test(`${kind}: what one end writes the other gets, then the ends in order`, async (t) => {
    const poller = makePoller(t);
    const address = kind === 'tcp' ? loopback : unixAddress(t);
    const { client, server, atClient, atServer } = await connection(poller, address);
    t.equal(client.write('question'), true);
    await until(() => atServer.text === 'question');
    server.write(Buffer.from('answer'));
    await until(() => atClient.text === 'answer');
    client.end();
    t.equal(await atServer.closed, undefined);
    t.equal(await atClient.closed, undefined);
    t.same(atServer.calls, ['data', 'end', 'close']);
    t.same(atClient.calls, ['open', 'data', 'end', 'close']);
    t.equal(client.closed && server.closed, true);
    t.equal(poller.stats().openHandles, 0);
  });

  t.test(`${kind}: all data comes before onEnd when the peer writes and closes`, async (t) => {
    // The read buffer is far smaller than what waits when the hang-up is reported.
    const poller = makePoller(t, { readBufferBytes: 4096 });
    const address = kind === 'tcp' ? loopback : unixAddress(t);
    const { client, atServer, server } = await connection(poller, address);
    server.pause();
    client.write(Buffer.alloc(100_000));
    client.end();
    await until(() => client.queuedBytes === 0);
    await loopTurns(3);
    t.same(atServer.calls, []);
    server.resume();
    await atServer.ended;
    t.equal(atServer.bytes, 100_000);
    t.same(atServer.calls.slice(0, 2), ['data', 'end']);
  });
}

t.test('connect is refused: onClose has the error, nothing else is called', async (t) => {
  const poller = makePoller(t);
  const listener = poller.listen(loopback, {}, (socket) => socket.close());
  const { address } = listener;
  listener.close();
  const recorder = new Recorder();
  const socket = poller.connect(address, recorder.handlers);
  t.same(recorder.calls, [], 'not from inside connect()');
  t.match(await recorder.closed, { code: 'ECONNREFUSED', syscall: 'connect', errno: 111 });
  t.same(recorder.calls, ['close']);
  t.equal(socket.closed, true);
});

t.test('connect to a missing Unix path ends in ENOENT, which names the path', async (t) => {
  const poller = makePoller(t);
  const recorder = new Recorder();
  poller.connect(unixAddress(t, 'missing'), recorder.handlers);
  t.match(await recorder.closed, { code: 'ENOENT', syscall: 'connect', message: /missing/ });
});

t.test('a host name is looked up and its addresses are tried in turn', async (t) => {
  const poller = makePoller(t);
  const accepted = new Recorder();
  const listener = poller.listen(loopback, {}, (socket) => socket.setHandlers(accepted.handlers));
  if (listener.address.kind !== 'tcp') throw new Error('a TCP listener has a TCP address');
  const recorder = new Recorder();
  poller.connect({ ...listener.address, host: 'localhost' }, recorder.handlers).write('by name');
  await until(() => accepted.text === 'by name');
  t.same(recorder.calls, ['open']);
});

t.test('a host name that nobody knows ends in the error of the lookup', async (t) => {
  const poller = makePoller(t);
  const recorder = new Recorder();
  poller.connect({ kind: 'tcp', host: 'no-such-host.invalid', port: 1 }, recorder.handlers);
  const error = await recorder.closed;
  t.match(error, { syscall: 'getaddrinfo', message: /no-such-host.invalid/ });
  t.ok(['ENOTFOUND', 'EAI_AGAIN'].includes(error?.code ?? ''), 'as getaddrinfo says');
});

t.test('a reset by the peer ends in its errno', async (t) => {
  const poller = makePoller(t);
  const { client, server, atClient } = await connection(poller, loopback);
  server.pause();
  client.write('never read');
  await until(() => client.queuedBytes === 0);
  server.close(); // unread data makes the kernel answer with a reset
  t.match(await atClient.closed, { code: 'ECONNRESET', syscall: 'read' });
});

t.test('writing to a peer that is gone ends in EPIPE, and no signal', async (t) => {
  const poller = makePoller(t);
  const { client, server, atClient } = await connection(poller, unixAddress(t));
  client.pause();
  server.close();
  client.write('too late');
  t.match(await atClient.closed, { code: 'EPIPE', syscall: 'write', errno: 32 });
});

t.test('10 MB arrive whole through a small socket buffer, with back-pressure', async (t) => {
  const poller = makePoller(t);
  const hash = createHash('sha256');
  const { client, server, atClient, atServer } = await connection(
    poller,
    unixAddress(t),
    {},
    { onData: (chunk) => hash.update(chunk) },
  );
  const sent = randomBytes(10_000_000);
  server.pause();
  t.equal(client.write(sent), false, 'over the high water mark');
  t.equal(client.queuedBytes, sent.length);
  await until(() => client.queuedBytes < sent.length);
  await loopTurns(5);
  t.ok(client.queuedBytes > 0, 'the kernel takes no more than its buffer');
  t.notOk(atClient.calls.includes('drain'));
  server.resume();
  await until(() => atServer.bytes === sent.length);
  await until(() => atClient.calls.includes('drain'));
  t.equal(client.queuedBytes, 0);
  const expected = createHash('sha256').update(sent).digest('hex');
  t.equal(hash.digest('hex'), expected);
});

t.test('many small chunks, more than one write buffer, arrive whole and in order', async (t) => {
  const poller = makePoller(t);
  const received = createHash('sha256');
  const sent = createHash('sha256');
  const onData = (chunk: Buffer): void => void received.update(chunk);
  const { client, atServer } = await connection(poller, unixAddress(t), {}, { onData });
  let sentBytes = 0;
  for (let index = 0; index < 40_000; index++) {
    const lines = `${index}\n`.repeat(3);
    sentBytes += lines.length;
    sent.update(lines);
    client.write(lines);
  }
  await until(() => atServer.bytes === sentBytes);
  t.equal(client.queuedBytes, 0);
  t.equal(received.digest('hex'), sent.digest('hex'));
});

t.test('all writes of a turn to one socket leave in one system call', async (t) => {
  const poller = makePoller(t);
  const { client, atServer } = await connection(poller, unixAddress(t));
  const before = poller.stats();
  for (let index = 0; index < 500; index++) client.write(`${index % 10}`);
  await until(() => atServer.bytes === 500);
  t.equal(poller.stats().writeCalls - before.writeCalls, 1);
  t.equal(atServer.text, '0123456789'.repeat(50));
});

t.test('writes of a batch to many sockets leave in one flush, a system call each', async (t) => {
  const poller = makePoller(t);
  const echo = {
    onData: (chunk: Buffer, socket: { write(chunk: Buffer): boolean }) => void socket.write(chunk),
  };
  const connections: Connection[] = [];
  for (let index = 0; index < 5; index++) {
    connections.push(await connection(poller, unixAddress(t, `${index}`), {}, echo));
  }
  const before = poller.stats();
  for (const { client } of connections) client.write('ping');
  await until(() => connections.every(({ atClient }) => atClient.text === 'ping'));
  const after = poller.stats();
  t.equal(after.writeCalls - before.writeCalls, 10);
  t.equal(after.flushCalls - before.flushCalls, 2, 'one for the clients, one for the servers');
});

t.test('the chunk of onData may be passed on, also to a socket that is blocked', async (t) => {
  const poller = makePoller(t);
  const sink = await connection(poller, unixAddress(t, 'sink'));
  const source = await connection(
    poller,
    unixAddress(t, 'source'),
    {},
    { onData: (chunk) => sink.client.write(chunk) },
  );
  sink.server.pause();
  sink.client.write(Buffer.alloc(2_000_000, '.'));
  await until(() => sink.client.queuedBytes < 2_000_000);
  for (const letter of ['a', 'b', 'c']) {
    source.client.write(letter.repeat(3));
    await until(() => source.atServer.text.endsWith(letter));
  }
  let tail = '';
  sink.server.setHandlers({
    onData: (chunk) => {
      tail = (tail + chunk.toString('latin1')).slice(-9);
    },
  });
  sink.server.resume();
  await until(() => sink.client.queuedBytes === 0 && tail.endsWith('c'));
  t.equal(tail, 'aaabbbccc');
});

t.test('end() sends what is queued first, and the peer may still answer', async (t) => {
  const poller = makePoller(t);
  const { client, server, atClient, atServer } = await connection(poller, unixAddress(t));
  server.allowHalfOpen = true;
  client.write(Buffer.alloc(3_000_000));
  client.end();
  t.equal(client.write('after the end'), false, 'dropped');
  await atServer.ended;
  t.equal(atServer.bytes, 3_000_000);
  await loopTurns(2);
  server.write('late answer');
  server.end();
  t.equal(await atClient.closed, undefined);
  t.equal(atClient.text, 'late answer');
  t.same(atServer.calls, ['data', 'end', 'close']);
});

t.test('what onEnd writes is sent before the socket closes by itself', async (t) => {
  const poller = makePoller(t);
  const { client, atClient } = await connection(
    poller,
    unixAddress(t),
    {},
    { onEnd: (socket) => void socket.write('goodbye') },
  );
  client.end();
  t.equal(await atClient.closed, undefined);
  t.equal(atClient.text, 'goodbye');
});

t.test('what is written before onOpen is sent after it, then end() takes effect', async (t) => {
  const poller = makePoller(t);
  const accepted = new Recorder();
  const listener = poller.listen(unixAddress(t), {}, (socket) => {
    socket.setHandlers(accepted.handlers);
  });
  const socket = poller.connect(listener.address, new Recorder().handlers);
  t.equal(socket.write('early'), true);
  socket.end();
  t.equal(await accepted.closed, undefined);
  t.equal(accepted.text, 'early');
});

t.test('close() drops what is queued; onClose comes later and once', async (t) => {
  const poller = makePoller(t);
  const { client, atClient, atServer } = await connection(poller, unixAddress(t));
  client.write('dropped');
  client.close();
  client.close();
  client.destroy(new ScriptdError('LATE', 'the first cause wins'));
  t.notOk(atClient.calls.includes('close'), 'not from inside close()');
  t.equal(await atClient.closed, undefined);
  t.equal(await atServer.closed, undefined);
  await loopTurns(2);
  t.same(atClient.calls, ['open', 'close']);
  t.equal(atServer.text, '');
});

t.test('destroy() closes with its error', async (t) => {
  const poller = makePoller(t);
  const { client, atClient } = await connection(poller, unixAddress(t));
  const error = new ScriptdError('BAD_FRAME', 'not a frame');
  client.destroy(error);
  t.equal(await atClient.closed, error);
});

t.test('after close every method is harmless or throws CLOSED', async (t) => {
  const poller = makePoller(t);
  const { client, atClient } = await connection(poller, unixAddress(t));
  client.close();
  t.equal(client.write('x'), false);
  t.equal(client.queuedBytes, 0);
  client.end();
  client.pause();
  client.resume();
  t.same(client.readAvailable(100), { bytes: 0, ended: true });
  t.throws(() => client.peerCredentials(), { code: 'CLOSED' });
  t.throws(() => client.tuneTcp(), { code: 'CLOSED' });
  await atClient.closed;
  poller.close();
  poller.close();
  t.throws(() => poller.connect(loopback, new Recorder().handlers), { code: 'CLOSED' });
  t.throws(() => poller.listen(loopback, {}, () => undefined), { code: 'CLOSED' });
  t.throws(() => poller.adopt(0, new Recorder().handlers), { code: 'CLOSED' });
  t.throws(() => poller.timer(() => undefined), { code: 'CLOSED' });
  t.throws(() => poller.watchProcess(0, () => undefined), { code: 'CLOSED' });
  t.equal(poller.stats().openHandles, 0);
});

t.test('the credentials of the peer are known on a Unix socket only', async (t) => {
  const poller = makePoller(t);
  const unix = await connection(poller, unixAddress(t));
  const expected = { pid: process.pid, uid: process.getuid?.(), gid: process.getgid?.() };
  t.same(unix.server.peerCredentials(), expected);
  const tcp = await connection(poller, loopback);
  t.throws(() => tcp.server.peerCredentials(), { code: 'ENOTSUP', syscall: 'getsockopt' });
});

t.test('TCP options may be set on any socket, and do nothing on the others', async (t) => {
  const poller = makePoller(t);
  for (const address of [loopback, unixAddress(t)]) {
    const { client } = await connection(poller, address);
    client.tuneTcp();
    t.equal(client.closed, false);
  }
});

t.test('write() answers false above the high water mark, and not before', async (t) => {
  const poller = makePoller(t);
  const { client } = await connection(poller, unixAddress(t));
  t.equal(client.write(Buffer.alloc(pollLimits.writeHighWaterBytes)), true);
  t.equal(client.write('x'), false);
  t.equal(client.write(''), false);
});
