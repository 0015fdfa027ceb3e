import { existsSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import t from 'tap';
import { makePoller, Recorder, unixAddress, until } from './rig.js';
import { runProgram } from './run-program.js';

t.test('port 0: the listener tells the port that the kernel chose', async (t) => {
  const poller = makePoller(t);
  const listener = poller.listen({ kind: 'tcp', host: '::1', port: 0 }, {}, () => undefined);
  if (listener.address.kind !== 'tcp') throw new Error('a TCP listener has a TCP address');
  t.ok(listener.address.port > 0);
  t.equal(listener.address.host, '::1');
  t.throws(() => poller.listen(listener.address, {}, () => undefined), {
    code: 'EADDRINUSE',
    syscall: 'bind',
  });
});

t.test('TCP listens on an IP address, not on a name', async (t) => {
  const poller = makePoller(t);
  const address = { kind: 'tcp', host: 'localhost', port: 0 } as const;
  t.throws(() => poller.listen(address, {}, () => undefined), {
    code: 'BAD_ADDRESS',
    message: /write an IP address/,
  });
});

t.test('the Unix socket file has the mode that was asked for, whatever the umask', async (t) => {
  const poller = makePoller(t);
  for (const umask of [0o022, 0o777, 0]) {
    for (const mode of [undefined, 0o600, 0o666]) {
      const address = unixAddress(t);
      const before = process.umask(umask);
      const listener = poller.listen(address, mode === undefined ? {} : { mode }, () => undefined);
      process.umask(before);
      t.equal(statSync(address.path).mode & 0o777, mode ?? 0o600);
      listener.close();
    }
  }
});

t.test('a paused listener is bound, and accepts those who waited once it is resumed', async (t) => {
  const poller = makePoller(t);
  const address = unixAddress(t);
  let accepted = 0;
  const listener = poller.listen(address, { paused: true }, (socket) => {
    accepted += 1;
    socket.setHandlers({ onData: () => undefined });
  });
  t.throws(() => poller.listen(address, {}, () => undefined), { code: 'EADDRINUSE' });
  const connected = new Recorder();
  poller.connect(address, connected.handlers);
  await connected.opened;
  const other = poller.listen(unixAddress(t), {}, (socket) => {
    socket.setHandlers({ onData: () => undefined });
  });
  const witness = new Recorder();
  poller.connect(other.address, witness.handlers);
  await witness.opened;
  t.equal(accepted, 0, 'though its event loop has turned');
  listener.resume();
  await until(() => accepted > 0);
});

t.test('close() removes the socket file', async (t) => {
  const poller = makePoller(t);
  const address = unixAddress(t);
  const listener = poller.listen(address, {}, () => undefined);
  t.equal(existsSync(address.path), true);
  listener.close();
  listener.close();
  t.equal(listener.closed, true);
  t.equal(existsSync(address.path), false);
});

t.test('close() leaves a file that somebody else has put there since', async (t) => {
  const poller = makePoller(t);
  const address = unixAddress(t);
  const listener = poller.listen(address, {}, () => undefined);
  unlinkSync(address.path);
  writeFileSync(address.path, 'theirs');
  listener.close();
  t.equal(readFileSync(address.path, 'utf8'), 'theirs');
});

t.test('a socket file on which nobody answers is replaced', async (t) => {
  const address = unixAddress(t);
  await runProgram('abandon-socket', [address.path]);
  t.equal(statSync(address.path).isSocket(), true, 'left behind by a killed process');
  const poller = makePoller(t);
  const accepted = new Recorder();
  poller.listen(address, {}, (socket) => socket.setHandlers(accepted.handlers));
  poller.connect(address, new Recorder().handlers).write('hello');
  await until(() => accepted.text === 'hello');
  t.equal(statSync(address.path).mode & 0o777, 0o600);
});

t.test('a socket file on which somebody listens is left alone', async (t) => {
  const address = unixAddress(t);
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(address.path, resolve));
  t.teardown(() => other.close());
  const poller = makePoller(t);
  t.throws(() => poller.listen(address, {}, () => undefined), {
    code: 'EADDRINUSE',
    syscall: 'bind',
    message: new RegExp(address.path),
  });
  t.equal(existsSync(address.path), true);
  t.equal(poller.stats().openHandles, 0);
});

t.test('a file that is no socket is left alone', async (t) => {
  const address = unixAddress(t);
  writeFileSync(address.path, 'precious');
  const poller = makePoller(t);
  t.throws(() => poller.listen(address, {}, () => undefined), { code: 'EADDRINUSE' });
  t.equal(readFileSync(address.path, 'utf8'), 'precious');
});

t.test('a missing folder is told as such', async (t) => {
  const poller = makePoller(t);
  const address = { kind: 'unix', path: '/nonexistent/folder/s' } as const;
  t.throws(() => poller.listen(address, {}, () => undefined), { code: 'ENOENT', syscall: 'open' });
});

t.test('more connections than one wake-up accepts are all accepted', async (t) => {
  const poller = makePoller(t);
  const address = unixAddress(t);
  let accepted = 0;
  poller.listen(address, {}, (socket) => {
    accepted++;
    socket.setHandlers(new Recorder().handlers);
  });
  for (let index = 0; index < 150; index++) poller.connect(address, new Recorder().handlers);
  await until(() => accepted === 150);
  t.equal(poller.stats().openHandles, 301);
});

t.test('a listener closed in onConnection accepts no more', async (t) => {
  const poller = makePoller(t);
  const address = unixAddress(t);
  let accepted = 0;
  const listener = poller.listen(address, {}, (socket) => {
    accepted++;
    socket.setHandlers(new Recorder().handlers);
    listener.close();
  });
  const [first, second] = [new Recorder(), new Recorder()];
  poller.connect(address, first.handlers);
  poller.connect(address, second.handlers);
  t.match(await second.closed, { code: 'ECONNRESET' });
  t.equal(accepted, 1);
});

t.test('without free descriptors a listener reports it, waits and goes on', async (t) => {
  const result = await runProgram('out-of-descriptors', [unixAddress(t).path], {
    openFilesMax: 64,
  });
  t.match(result, { code: 'EMFILE', syscall: 'accept4', acceptedBefore: false, spins: false });
  t.match(result, { echoed: 'hello' });
});
