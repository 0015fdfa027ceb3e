import { renameSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import t, { type Test } from 'tap';
import type { ScriptdError } from '../../src/errors.js';
import { limits } from '../../src/limits.js';
import type { Address } from '../../src/poll/address.js';
import { pollLimits } from '../../src/poll/limits.js';
import { Poller } from '../../src/poll/poller.js';
import { Connection } from '../../src/wire/connection.js';
import type { Role } from '../../src/wire/messages.js';
import type { ByteStream } from '../../src/wire/stream.js';
import { Transport } from '../../src/wire/transport.js';
import { TestAuthority, transportOf } from './certificates.js';

const token = Buffer.from('a token of the installation');

/** What both ends of one connection were told. */
interface Told {
  opened: string[];
  closed: Record<'initiator' | 'acceptor', ScriptdError | undefined>;
}

function listen(t: Test, transport: Transport, onStream: (stream: ByteStream) => void) {
  const poller = new Poller();
  t.teardown(() => poller.close());
  const asked: Address = { kind: 'tcp', host: '127.0.0.1', port: 0 };
  const listener = poller.listen(asked, {}, (socket) => onStream(transport.accept(socket, asked)));
  return { poller, address: listener.address as Address & { kind: 'tcp' } };
}

/** Connects an http daemon to a controller, and resolves when both ends are open or closed. */
async function meet(
  t: Test,
  transports: { initiator: Transport; acceptor: Transport },
  options: { host?: string; role?: Role } = {},
): Promise<Told> {
  const told: Told = { opened: [], closed: { initiator: undefined, acceptor: undefined } };
  const { role = 'http', host = '127.0.0.1' } = options;
  await new Promise<void>((resolve) => {
    const look = () => {
      const { initiator, acceptor } = told.closed;
      if (told.opened.length === 2 || (initiator && acceptor)) resolve();
    };
    const handlers = (side: 'initiator' | 'acceptor') => ({
      onOpen: () => {
        told.opened.push(side);
        look();
      },
      onMessage: () => undefined,
      onClose: (error: ScriptdError) => {
        told.closed[side] = error;
        look();
      },
    });
    const controller = { role: 'controller', id: 'controller', instance: 'c' } as const;
    const { poller, address } = listen(t, transports.acceptor, (stream) => {
      const options = { local: controller, token, serves: ['client'] as const };
      new Connection(stream, 'acceptor', options, handlers('acceptor'));
    });
    const stream = transports.initiator.connect(poller, { ...address, host });
    const local = { role, id: 'http-1', instance: 'h' };
    const channel = 'client' as const;
    new Connection(stream, 'initiator', { local, token, channel }, handlers('initiator'));
  });
  return told;
}

t.test('parts with certificates of one authority talk to each other', async (t) => {
  const authority = await TestAuthority.create(t);
  const acceptor = await authority.transport('controller');
  const initiator = await authority.transport('http');
  t.same((await meet(t, { initiator, acceptor })).opened.sort(), ['acceptor', 'initiator']);
  const byName = await meet(t, { initiator, acceptor }, { host: 'localhost' });
  t.same(byName.opened.sort(), ['acceptor', 'initiator'], 'the name is one of its certificate');
});

t.test('whoever has no certificate of our authority is shut out, on either side', async (t) => {
  const authority = await TestAuthority.create(t);
  const stranger = await TestAuthority.create(t);
  const ours = await authority.transport('http');
  const controller = await authority.transport('controller');
  const strange = await stranger.transport('http');
  const strangeController = await stranger.transport('controller');
  const first = await meet(t, { initiator: strange, acceptor: controller });
  t.equal(first.closed.acceptor?.code, 'TLS_FAILED');
  t.equal(first.closed.initiator?.code, 'TLS_FAILED');
  const second = await meet(t, { initiator: ours, acceptor: strangeController });
  t.equal(second.closed.initiator?.code, 'TLS_FAILED');
  t.same([...first.opened, ...second.opened], []);
});

t.test('whoever trusts our authority and shows nothing is shut out', async (t) => {
  const authority = await TestAuthority.create(t);
  const transport = await authority.transport('controller');
  const closed = new Promise<ScriptdError | undefined>((resolve) => {
    const { address } = listen(t, transport, (stream) => {
      stream.setHandlers({ onData: () => t.fail('nothing is read from it'), onClose: resolve });
    });
    const client = connectTls({
      port: address.port,
      host: address.host,
      rejectUnauthorized: false,
    });
    client.on('error', () => undefined);
    client.on('secureConnect', () => client.write('hello'));
    t.teardown(() => client.destroy());
  });
  t.match(await closed, { code: 'TLS_FAILED', message: /certificate/ });
});

t.test('TLS before 1.3 is refused', async (t) => {
  const authority = await TestAuthority.create(t);
  const transport = await authority.transport('controller');
  const closed = new Promise<ScriptdError | undefined>((resolve) => {
    const { address } = listen(t, transport, (stream) => {
      stream.setHandlers({ onData: () => t.fail('nothing is read from it'), onClose: resolve });
    });
    const { port, host } = address;
    const client = connectTls({ port, host, rejectUnauthorized: false, maxVersion: 'TLSv1.2' });
    client.on('error', () => undefined);
    t.teardown(() => client.destroy());
  });
  t.match(await closed, { code: 'TLS_FAILED', message: /protocol/ });
});

t.test('a part may be only what its certificate says', async (t) => {
  const authority = await TestAuthority.create(t);
  const controller = await authority.transport('controller');
  const worker = await authority.transport('worker');
  const asHttp = await meet(t, { initiator: worker, acceptor: controller });
  t.match(asHttp.closed.acceptor, { code: 'WRONG_PEER', message: /certificate for: worker/ });
  t.notOk(asHttp.opened.includes('acceptor'));
  const asController = await meet(t, {
    initiator: await authority.transport('http'),
    acceptor: worker,
  });
  t.match(asController.closed.initiator, {
    code: 'WRONG_PEER',
    message: /certificate for: worker/,
  });
});

t.test('a certificate must be for the name that was dialled', async (t) => {
  const authority = await TestAuthority.create(t);
  const acceptor = await authority.transport('controller', ['elsewhere.example']);
  const initiator = await authority.transport('http');
  const told = await meet(t, { initiator, acceptor }, { host: 'localhost' });
  t.match(told.closed.initiator, { code: 'TLS_FAILED', message: /localhost/ });
});

t.test('plain bytes on a port of TLS close that connection, with its code', async (t) => {
  const authority = await TestAuthority.create(t);
  const told = await meet(t, {
    initiator: new Transport(),
    acceptor: await authority.transport('controller'),
  });
  t.equal(told.closed.acceptor?.code, 'TLS_FAILED');
  t.ok(told.closed.initiator);
  t.same(told.opened, []);
});

t.test('TLS on a plain port closes that connection, with its code', async (t) => {
  const authority = await TestAuthority.create(t);
  const told = await meet(t, {
    initiator: await authority.transport('http'),
    acceptor: new Transport(),
  });
  t.match(told.closed.initiator, { code: 'TLS_FAILED', message: /does the other side speak TLS/ });
  t.equal(told.closed.acceptor?.code, 'FRAME_TOO_LARGE');
});

t.test('a connection that is refused keeps the code of the system', async (t) => {
  const authority = await TestAuthority.create(t);
  const transport = await authority.transport('http');
  const poller = new Poller();
  t.teardown(() => poller.close());
  const error = await new Promise<ScriptdError | undefined>((resolve) => {
    const stream = transport.connect(poller, { kind: 'tcp', host: '127.0.0.1', port: 1 });
    stream.setHandlers({ onData: () => undefined, onClose: resolve });
  });
  t.equal(error?.code, 'ECONNREFUSED');
});

/** Both ends of a TLS connection; what comes in at the acceptor goes to `onData`. */
async function streams(t: Test, onData: (chunk: Buffer) => void, onEnd = () => undefined) {
  const authority = await TestAuthority.create(t);
  const server = await authority.transport('controller');
  const client = await authority.transport('http');
  let accepted: ByteStream | undefined;
  const drains = { count: 0 };
  const initiator = await new Promise<ByteStream>((resolve) => {
    const { poller, address } = listen(t, server, (stream) => {
      accepted = stream;
      stream.setHandlers({ onData, onEnd });
    });
    const stream = client.connect(poller, address);
    stream.setHandlers({
      onOpen: () => resolve(stream),
      onData: () => undefined,
      onDrain: () => drains.count++,
    });
  });
  return { initiator, accepted: accepted as ByteStream, drains };
}

const turn = (ms = 5) => new Promise((resolve) => setTimeout(resolve, ms));

t.test('a peer that does not read holds the writer up, and nothing is lost', async (t) => {
  let received = 0;
  const { initiator, accepted, drains } = await streams(t, (chunk) => {
    received += chunk.length;
  });
  accepted.pause();
  const chunk = Buffer.alloc(256 * 1024, 'x');
  let sent = 0;
  const writes: boolean[] = [];
  for (let count = 0; count < 64; count++) {
    writes.push(initiator.write(chunk));
    sent += chunk.length;
    await turn(1);
  }
  t.equal(writes.at(-1), false, 'it says that it is behind');
  await turn(50);
  t.ok(initiator.queuedBytes > pollLimits.writeHighWaterBytes, 'and has what was not read');
  const before = received;
  await turn(20);
  t.equal(received, before, 'a paused end is given nothing');
  accepted.resume();
  while (received < sent) await turn();
  t.equal(received, sent);
  while (drains.count === 0) await turn();
  t.equal(drains.count, 1);
  t.equal(initiator.queuedBytes, 0);
});

t.test('what was written before the end arrives before it', async (t) => {
  const parts: Buffer[] = [];
  let ended = 0;
  const { initiator } = await streams(
    t,
    (chunk) => {
      parts.push(Buffer.from(chunk));
    },
    () => {
      ended = parts.reduce((sum, { length }) => sum + length, 0);
    },
  );
  const bytes = limits.outputBytesMax;
  initiator.write(Buffer.alloc(bytes, 'y'));
  initiator.end();
  t.equal(initiator.write(Buffer.from('late')), false);
  while (ended === 0) await turn();
  t.equal(ended, bytes);
});

t.test(
  'a stranger that says nothing, or half of something, is dropped like any other',
  async (t) => {
    const authority = await TestAuthority.create(t);
    const transport = await authority.transport('controller');
    const closed = new Promise<ScriptdError | undefined>((resolve) => {
      const { address } = listen(t, transport, (stream) => {
        stream.setHandlers({ onData: () => t.fail('nothing is read from it'), onClose: resolve });
      });
      const client = net.connect(address.port, address.host);
      // The first bytes of a record that never ends.
      client.write(Buffer.from('160301', 'hex'));
      client.on('error', () => undefined);
      setTimeout(() => client.end(), 20);
    });
    t.match(await closed, { code: 'TLS_FAILED' });
  },
);

t.test('files that do not fit are told of at the start', async (t) => {
  const authority = await TestAuthority.create(t);
  const files = await authority.files('controller');
  const other = await authority.files('worker');
  t.throws(() => transportOf({ ...files, key: other.key }), { code: 'TLS_FILES' });
  t.throws(() => transportOf({ ...files, ca: join(authority.folder, 'none') }), {
    code: 'TLS_FILES',
  });
  t.ok(transportOf(files));
  renameSync(files.cert, join(authority.folder, 'moved'));
  t.throws(() => transportOf(files), { code: 'TLS_FILES', message: /certs init/ });
});

t.test('an authority is replaced by another while both are trusted', async (t) => {
  const old = await TestAuthority.create(t);
  const next = await TestAuthority.create(t);
  const acceptor = await old.transport('controller');
  const initiator = await next.transport('http');
  const before = await meet(t, { initiator, acceptor });
  t.same(before.opened, [], 'they do not know each other');
  old.trustToo(next);
  next.trustToo(old);
  const after = await meet(t, { initiator, acceptor });
  t.same(after.opened.sort(), ['acceptor', 'initiator'], 'without a restart');
});

t.test('new files that cannot be used leave those of before', async (t) => {
  const authority = await TestAuthority.create(t);
  const files = await authority.files('controller');
  const acceptor = transportOf(files);
  const initiator = await authority.transport('http');
  writeFileSync(files.cert, 'half a certificate');
  t.equal((await meet(t, { initiator, acceptor })).opened.length, 2);
});

/** What a client of TLS says first. */
async function clientHello(t: Test): Promise<Buffer> {
  return await new Promise((resolve) => {
    const server = net.createServer((socket) => socket.once('data', resolve));
    t.teardown(() => server.close());
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo;
      const client = connectTls({ port, host: '127.0.0.1' });
      client.on('error', () => undefined);
      t.teardown(() => client.destroy());
    });
  });
}

t.test('whatever a stranger says to a port of TLS, his connection alone ends', async (t) => {
  const authority = await TestAuthority.create(t);
  const transport = await authority.transport('controller');
  const hello = await clientHello(t);
  const ends: (ScriptdError | undefined)[] = [];
  const { poller, address } = listen(t, transport, (stream) => {
    stream.setHandlers({
      onData: () => t.fail('nothing is read from him'),
      onClose: (error) => ends.push(error),
    });
  });
  const strangers = 120;
  for (let index = 0; index < strangers; index++) {
    const said = Buffer.from(hello);
    // Whole, cut somewhere, or with a byte of it changed; the end in order, or by a reset.
    const length = index % 3 === 0 ? said.length : Math.floor((said.length * index) / strangers);
    if (index % 3 === 1) said[(index * 37) % said.length] = (index * 101) % 256;
    await new Promise<void>((resolve) => {
      const client = net.connect(address.port, address.host, () => {
        client.write(said.subarray(0, Math.max(1, index % 3 === 1 ? said.length : length)));
        setTimeout(() => (index % 2 === 0 ? client.end() : client.resetAndDestroy()), index % 4);
      });
      client.on('error', () => undefined);
      client.on('data', () => undefined);
      client.on('close', () => resolve());
    });
  }
  while (ends.length < strangers) await turn();
  const codes = new Set(ends.map((error) => error?.code));
  t.ok(codes.has('TLS_FAILED'));
  for (const code of codes) t.match(code, /^(TLS_FAILED|ECONNRESET|EPIPE)$/);
  const initiator = await authority.transport('http');
  const opened = new Promise<void>((resolve) => {
    const stream = initiator.connect(poller, address);
    stream.setHandlers({ onOpen: () => resolve(), onData: () => undefined });
  });
  await opened;
});
