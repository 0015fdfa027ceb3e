import { closeSync } from 'node:fs';
import t from 'tap';
import { parseAddress } from '../../src/poll/address.js';
import type { Poller } from '../../src/poll/poller.js';
import type { Socket } from '../../src/poll/socket.js';
import { connection, loopTurns, makePoller, Pipe, Recorder, unixAddress, until } from './rig.js';

/** A spinning poller wakes up once per turn of the loop; one that waits, not at all. */
async function wakeUpsIn(poller: Poller, turns: number): Promise<number> {
  const before = poller.stats().wakeUps;
  await loopTurns(turns);
  return poller.stats().wakeUps - before;
}

t.test('a hang-up while reading is paused does not spin, and resume() delivers all', async (t) => {
  const poller = makePoller(t);
  const { client, server, atServer } = await connection(poller, unixAddress(t));
  server.pause();
  client.write('last words');
  await until(() => client.queuedBytes === 0);
  client.close(); // EPOLLHUP at the server
  await loopTurns(3);
  t.equal(await wakeUpsIn(poller, 100), 0);
  t.same(atServer.calls, []);
  server.resume();
  t.equal(await atServer.closed, undefined);
  t.same(atServer.calls, ['data', 'end', 'close']);
  t.equal(atServer.text, 'last words');
});

t.test('a reset while reading is paused does not spin; resume() tells of it', async (t) => {
  const poller = makePoller(t);
  const loopback = parseAddress('tcp://127.0.0.1:0');
  const { client, server, atClient } = await connection(poller, loopback);
  client.pause();
  server.pause();
  client.write('never read');
  await until(() => client.queuedBytes === 0);
  server.close(); // EPOLLERR and EPOLLHUP at the client
  await loopTurns(3);
  t.equal(await wakeUpsIn(poller, 100), 0);
  t.same(atClient.calls, ['open']);
  client.resume();
  t.match(await atClient.closed, { code: 'ECONNRESET' });
});

t.test('a pipe whose writer is gone does not spin while it is paused', async (t) => {
  const poller = makePoller(t);
  const pipe = new Pipe();
  const recorder = new Recorder();
  const socket = poller.adopt(pipe.readEnd, recorder.handlers);
  socket.pause();
  pipe.write('left behind');
  closeSync(pipe.writeEnd);
  await loopTurns(3);
  t.equal(await wakeUpsIn(poller, 100), 0);
  socket.resume();
  t.equal(await recorder.closed, undefined);
  t.same(recorder.calls, ['data', 'end', 'close']);
});

t.test('a half-open socket whose peer goes away closes and does not spin', async (t) => {
  const poller = makePoller(t);
  const { client, server, atClient } = await connection(poller, unixAddress(t));
  client.allowHalfOpen = true;
  server.end();
  await atClient.ended;
  t.equal(client.closed, false);
  server.close();
  t.equal(await atClient.closed, undefined);
  t.equal(await wakeUpsIn(poller, 100), 0);
});

t.test('a socket that another callback of the batch paused keeps its data for later', async (t) => {
  const poller = makePoller(t);
  const [first, second] = [new Pipe(), new Pipe()];
  const paused = new Recorder();
  const pauser = new Recorder({ onData: () => pausedSocket.pause() });
  poller.adopt(first.readEnd, pauser.handlers);
  const pausedSocket = poller.adopt(second.readEnd, paused.handlers);
  first.write('x');
  second.write('one ');
  await until(() => pauser.text === 'x');
  second.write('two');
  closeSync(second.writeEnd);
  await loopTurns(3);
  t.same(paused.calls, []);
  pausedSocket.resume();
  pausedSocket.pause();
  await loopTurns(3);
  t.same(paused.calls, [], 'paused again before the tick');
  pausedSocket.resume();
  await paused.closed;
  t.equal(paused.text, 'one two');
  t.same(paused.calls, ['data', 'end', 'close']);
});

t.test('an end that was read before the pause comes after resume()', async (t) => {
  const poller = makePoller(t);
  const [first, second] = [new Pipe(), new Pipe()];
  const paused = new Recorder();
  const pauser = new Recorder({ onData: () => pausedSocket.pause() });
  poller.adopt(first.readEnd, pauser.handlers);
  const pausedSocket = poller.adopt(second.readEnd, paused.handlers);
  first.write('x');
  closeSync(second.writeEnd);
  await until(() => pauser.text === 'x');
  await loopTurns(3);
  t.same(paused.calls, []);
  pausedSocket.resume();
  await paused.closed;
  t.same(paused.calls, ['end', 'close']);
});

t.test('readAvailable() drains a paused pipe to its end', async (t) => {
  const poller = makePoller(t);
  const pipe = new Pipe();
  const recorder = new Recorder();
  const socket = poller.adopt(pipe.readEnd, recorder.handlers);
  socket.pause();
  pipe.write('output');
  t.same(socket.readAvailable(1000), { bytes: 6, ended: false });
  t.equal(recorder.text, 'output');
  pipe.write(' and more');
  closeSync(pipe.writeEnd);
  t.same(socket.readAvailable(4), { bytes: 4, ended: false });
  t.same(socket.readAvailable(1000), { bytes: 5, ended: true });
  t.equal(recorder.text, 'output and more');
  await recorder.closed;
  t.same(recorder.calls, ['data', 'end', 'close']);
});

t.test('readAvailable() leaves a paused socket paused', async (t) => {
  const poller = makePoller(t);
  const pipe = new Pipe();
  const recorder = new Recorder();
  const socket = poller.adopt(pipe.readEnd, recorder.handlers);
  socket.pause();
  socket.readAvailable(10);
  pipe.write('kept');
  await loopTurns(3);
  t.equal(recorder.text, '');
  socket.resume();
  await until(() => recorder.text === 'kept');
});

t.test('readAvailable() delivers what the batch has read already first', async (t) => {
  const poller = makePoller(t);
  const [first, second] = [new Pipe(), new Pipe()];
  const drained = new Recorder();
  let result: { bytes: number; ended: boolean } | undefined;
  const drainer = new Recorder({
    onData: () => {
      second.write('later');
      result = drainedSocket.readAvailable(1000);
    },
  });
  poller.adopt(first.readEnd, drainer.handlers);
  const drainedSocket: Socket = poller.adopt(second.readEnd, drained.handlers);
  first.write('x');
  second.write('earlier ');
  await until(() => result !== undefined);
  t.same(result, { bytes: 13, ended: false });
  await loopTurns(3);
  t.equal(drained.text, 'earlier later');
  t.equal(poller.stats().batches, 1);
});

t.test('a write-only pipe end reports that its reader is gone', async (t) => {
  const poller = makePoller(t);
  const pipe = new Pipe();
  const recorder = new Recorder();
  const socket = poller.adopt(pipe.writeEnd, recorder.handlers);
  closeSync(pipe.readEnd);
  t.match(await recorder.closed, { code: 'EPIPE' });
  t.equal(socket.closed, true);
});

t.test('a write to a pipe without a reader ends in EPIPE, and no signal', async (t) => {
  const poller = makePoller(t);
  const pipe = new Pipe();
  const recorder = new Recorder();
  const socket = poller.adopt(pipe.writeEnd, recorder.handlers);
  closeSync(pipe.readEnd);
  socket.write('x');
  t.match(await recorder.closed, { code: 'EPIPE', syscall: 'write' });
});

t.test('a large write through a pipe arrives whole; end() closes the pipe', async (t) => {
  const poller = makePoller(t);
  const pipe = new Pipe();
  const reader = new Recorder();
  const writer = new Recorder();
  const socket = poller.adopt(pipe.writeEnd, writer.handlers);
  poller.adopt(pipe.readEnd, reader.handlers);
  socket.write(Buffer.alloc(1_000_000));
  socket.end();
  t.equal(await reader.closed, undefined);
  t.equal(await writer.closed, undefined);
  t.equal(reader.bytes, 1_000_000);
});

t.test('adopt refuses what epoll cannot watch, and what is no descriptor', async (t) => {
  const poller = makePoller(t);
  const { openSync } = await import('node:fs');
  const file = openSync('/etc/hostname', 'r');
  t.throws(() => poller.adopt(file, new Recorder().handlers), {
    code: 'EPERM',
    syscall: 'epoll_ctl',
  });
  t.throws(() => poller.adopt(99_999, new Recorder().handlers), { code: 'EBADF' });
  t.equal(poller.stats().openHandles, 0);
});
