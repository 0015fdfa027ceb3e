import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock } from 'node:test';
import t, { type Test } from 'tap';
import type { ScriptdError } from '../../src/errors.js';
import type { Address } from '../../src/poll/address.js';
import { Poller } from '../../src/poll/poller.js';
import { encodeFrame } from '../../src/wire/codec.js';
import { Connection, type ConnectionOptions } from '../../src/wire/connection.js';
import { wireLimits } from '../../src/wire/limits.js';
import type { Message } from '../../src/wire/messages.js';

const token = Buffer.from('a token of the installation');
const controller = { role: 'controller', id: 'controller', instance: 'c1' } as const;
const http = { role: 'http', id: 'http-1', instance: 'h1' } as const;

/** One side of a connection, and what happened on it. */
interface End {
  connection: Connection;
  messages: Message[];
  opened: Promise<void>;
  closed: Promise<ScriptdError>;
  /** Fulfilled when so many messages have come. */
  received(count: number): Promise<Message[]>;
}

function end(make: (handlers: ConstructorParameters<typeof Connection>[3]) => Connection): End {
  const messages: Message[] = [];
  const waiting: { count: number; resolve: (messages: Message[]) => void }[] = [];
  let onOpen: () => void = () => undefined;
  let onClose: (error: ScriptdError) => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    onOpen = resolve;
  });
  const closed = new Promise<ScriptdError>((resolve) => {
    onClose = resolve;
  });
  const connection = make({
    onOpen: () => onOpen(),
    onClose: (error) => onClose(error),
    onMessage: (message) => {
      messages.push(message);
      for (const { count, resolve } of waiting) if (messages.length >= count) resolve(messages);
    },
  });
  const received = (count: number) =>
    messages.length >= count
      ? Promise.resolve(messages)
      : new Promise<Message[]>((resolve) => waiting.push({ count, resolve }));
  return { connection, messages, opened, closed, received };
}

/** A controller that listens, and what connects to it. */
function setUp(test: Test, options: Partial<ConnectionOptions> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'scriptd-wire-'));
  const poller = new Poller();
  const address: Address = { kind: 'unix', path: join(folder, 's') };
  let onAccepted: (end: End) => void = () => undefined;
  poller.listen(address, {}, (socket) => {
    const all = { local: controller, token, serves: ['client'] as const, ...options };
    onAccepted(end((handlers) => new Connection(socket, 'acceptor', all, handlers)));
  });
  const nextAccepted = () =>
    new Promise<End>((resolve) => {
      onAccepted = resolve;
    });
  const connect = (more: Partial<ConnectionOptions> = {}) => {
    const socket = poller.connect(address, { onData: () => undefined });
    const all = { local: http, token, channel: 'client' as const, ...more };
    return end((handlers) => new Connection(socket, 'initiator', all, handlers));
  };
  test.teardown(() => {
    poller.close();
    rmSync(folder, { recursive: true });
  });
  return { poller, path: address.path, nextAccepted, connect };
}

t.test('messages go both ways once the handshake is done', async (t) => {
  const { nextAccepted, connect } = setUp(t);
  const accepted = nextAccepted();
  const client = connect();
  const server = await accepted;
  await Promise.all([client.opened, server.opened]);
  t.match(server.connection.peer, { role: 'http', id: 'http-1', channel: 'client' });
  client.connection.send({ kind: 'status', requestId: 7 });
  t.same(await server.received(1), [{ kind: 'status', requestId: 7 }]);
  server.connection.send({ kind: 'refused', requestId: 7, code: 'X', message: 'no' });
  t.match(await client.received(1), [{ kind: 'refused', requestId: 7 }]);
});

t.test('all messages of one turn leave in one system call', async (t) => {
  const { poller, nextAccepted, connect } = setUp(t);
  const accepted = nextAccepted();
  const client = connect();
  const server = await accepted;
  await Promise.all([client.opened, server.opened]);
  await new Promise((resolve) => setImmediate(resolve));
  const before = poller.stats().writeCalls;
  for (let requestId = 1; requestId <= 100; requestId++) {
    client.connection.send({ kind: 'status', requestId });
  }
  await server.received(100);
  t.equal(poller.stats().writeCalls - before, 1);
});

t.test('a peer that ends in order is told apart from one that breaks the protocol', async (t) => {
  const { nextAccepted, connect } = setUp(t);
  const accepted = nextAccepted();
  const client = connect();
  const server = await accepted;
  await client.opened;
  client.connection.end();
  t.equal((await server.closed).code, 'PEER_ENDED');
  t.equal((await client.closed).code, 'CLOSED_HERE');
});

t.test('a wrong token closes the connection on both sides', async (t) => {
  const { nextAccepted, connect } = setUp(t);
  const accepted = nextAccepted();
  const client = connect({ token: Buffer.from('another token, not ours') });
  const server = await accepted;
  t.equal((await client.closed).code, 'BAD_PROOF');
  await server.closed;
  t.equal(server.connection.open, false);
});

t.test('garbage, half a frame and a huge length harm only their own connection', async (t) => {
  const { path, nextAccepted, connect } = setUp(t);
  const firstAccepted = nextAccepted();
  const neighbour = connect();
  const server = await firstAccepted;
  await neighbour.opened;
  const cases: [string, Buffer, string][] = [
    ['text', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), 'FRAME_TOO_LARGE'],
    ['4 GiB', Buffer.from([0xff, 0xff, 0xff, 0xff]), 'FRAME_TOO_LARGE'],
    ['more than a hello needs', Buffer.from([0, 0, 0x20, 0]), 'FRAME_TOO_LARGE'],
    ['not MessagePack', Buffer.from([0, 0, 0, 2, 0xc1, 0xc1]), 'FRAME_MALFORMED'],
    ['not a message', Buffer.from([0, 0, 0, 1, 0xc0]), 'MESSAGE_INVALID'],
    ['empty', Buffer.alloc(4), 'FRAME_EMPTY'],
    ['no hello', encodeFrame({ kind: 'status', requestId: 1 }), 'OUT_OF_STATE'],
  ];
  for (const [name, bytes, code] of cases) {
    const accepted = nextAccepted();
    const raw = createConnection(path);
    raw.on('error', () => undefined);
    raw.write(bytes);
    t.equal((await (await accepted).closed).code, code, name);
    raw.destroy();
  }
  const accepted = nextAccepted();
  const half = createConnection(path, () => half.end(Buffer.from([0, 0, 1, 0, 0x81])));
  t.equal((await (await accepted).closed).code, 'PEER_ENDED', 'half a frame');
  neighbour.connection.send({ kind: 'status', requestId: 1 });
  await server.received(1);
  t.equal(server.connection.open, true);
});

t.test('a connection without a handshake is closed when its time is up', async (t) => {
  const { path, nextAccepted } = setUp(t);
  const accepted = nextAccepted();
  const raw = createConnection(path);
  const server = await accepted;
  server.connection.heartbeat(performance.now());
  server.connection.heartbeat(performance.now() + wireLimits.handshakeMs + 1);
  t.equal((await server.closed).code, 'HANDSHAKE_TIMEOUT');
  raw.destroy();
});

t.test('a connection that was ended is closed, whether its peer likes it or not', async (t) => {
  const { path, nextAccepted } = setUp(t);
  const accepted = nextAccepted();
  const peer = createConnection({ path, allowHalfOpen: true });
  t.teardown(() => peer.destroy());
  const { connection, closed } = await accepted;
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  connection.end();
  mock.timers.tick(wireLimits.lingerMs);
  t.match(await closed, { code: 'CLOSED_HERE' });
});

t.test('a quiet peer is pinged and stays, a silent one is given up', async (t) => {
  const { poller, nextAccepted, connect } = setUp(t);
  const accepted = nextAccepted();
  const client = connect();
  const server = await accepted;
  await Promise.all([client.opened, server.opened]);
  const before = poller.stats().readBytes;
  server.connection.heartbeat(performance.now() + wireLimits.pingAfterMs);
  client.connection.send({ kind: 'status', requestId: 1 });
  await server.received(1);
  t.ok(poller.stats().readBytes > before);
  t.equal(server.connection.open, true);
  server.connection.heartbeat(performance.now() + wireLimits.silenceMs + 1);
  t.equal((await server.closed).code, 'PEER_SILENT');
});

t.test('a peer that does not read is not read from, until it reads again', async (t) => {
  const { nextAccepted, connect } = setUp(t, { pausesWhenBackedUp: true });
  const accepted = nextAccepted();
  const client = connect();
  const server = await accepted;
  await Promise.all([client.opened, server.opened]);
  const large: Message = {
    kind: 'refused',
    requestId: 1,
    code: 'X',
    message: 'x'.repeat(4_000),
  };
  let sent = 0;
  // Within one turn nothing is written, so the queue fills whatever the client does.
  while (server.connection.send(large)) sent++;
  t.ok(server.connection.queuedBytes > sent * 4_000);
  client.connection.send({ kind: 'status', requestId: 2 });
  await client.received(sent + 1);
  await server.received(1);
  t.equal(server.connection.queuedBytes, 0);
});
