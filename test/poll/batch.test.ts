import { openSync } from 'node:fs';
import t from 'tap';
import { pollLimits } from '../../src/poll/limits.js';
import type { Socket } from '../../src/poll/socket.js';
import { connection, loopTurns, makePoller, Pipe, Recorder, unixAddress, until } from './rig.js';

t.test('events that are ready together come in one call', async (t) => {
  const poller = makePoller(t);
  const pipes = [new Pipe(), new Pipe(), new Pipe()];
  const recorders = pipes.map((pipe) => {
    const recorder = new Recorder();
    poller.adopt(pipe.readEnd, recorder.handlers);
    return recorder;
  });
  for (const [index, pipe] of pipes.entries()) pipe.write(`${index}`);
  await until(() => recorders.every((recorder) => recorder.text !== ''));
  t.same(
    recorders.map((recorder) => recorder.text),
    ['0', '1', '2'],
  );
  t.match(poller.stats(), { batches: 1, callbacks: 3, readBytes: 3 });
});

t.test('a socket that another callback of the batch closed gets nothing more', async (t) => {
  const poller = makePoller(t);
  const [first, second] = [new Pipe(), new Pipe()];
  const victim = new Recorder();
  const killer = new Recorder({ onData: () => victimSocket.close() });
  poller.adopt(first.readEnd, killer.handlers);
  const victimSocket = poller.adopt(second.readEnd, victim.handlers);
  first.write('a');
  second.write('b');
  t.equal(await victim.closed, undefined);
  t.same(victim.calls, ['close']);
  t.match(poller.stats(), { batches: 1, events: 2, callbacks: 1 });
});

t.test('an event of a closed socket does not reach the one that took its slot', async (t) => {
  const poller = makePoller(t);
  const [first, second, third] = [new Pipe(), new Pipe(), new Pipe()];
  const heir = new Recorder();
  let heirSocket: Socket | undefined;
  const killer = new Recorder({
    onData: () => {
      victimSocket.close();
      heirSocket = poller.adopt(third.readEnd, heir.handlers);
    },
  });
  poller.adopt(first.readEnd, killer.handlers);
  const victimSocket = poller.adopt(second.readEnd, new Recorder().handlers);
  const victimSlot = victimSocket.token >>> 0;
  first.write('a');
  second.write('for the closed one');
  await until(() => heirSocket !== undefined);
  t.equal((heirSocket as Socket).token >>> 0, victimSlot, 'the slot is used again');
  t.not((heirSocket as Socket).token, victimSocket.token);
  await loopTurns(3);
  t.same(heir.calls, []);
  third.write('mine');
  await until(() => heir.text !== '');
  t.equal(heir.text, 'mine');
});

t.test('a socket may close itself in its own callback', async (t) => {
  const poller = makePoller(t);
  const pipe = new Pipe();
  const recorder = new Recorder({ onData: (_chunk, socket) => socket.close() });
  poller.adopt(pipe.readEnd, recorder.handlers);
  pipe.write('a');
  t.equal(await recorder.closed, undefined);
  t.same(recorder.calls, ['data', 'close']);
});

t.test('the poller may be closed in a callback: the rest of the batch is dropped', async (t) => {
  const poller = makePoller(t);
  const [first, second] = [new Pipe(), new Pipe()];
  const closer = new Recorder({ onData: () => poller.close() });
  const other = new Recorder();
  poller.adopt(first.readEnd, closer.handlers);
  poller.adopt(second.readEnd, other.handlers);
  first.write('a');
  second.write('b');
  await Promise.all([closer.closed, other.closed]);
  t.same(closer.calls, ['data', 'close']);
  t.same(other.calls, ['close']);
  t.equal(poller.stats().openHandles, 0);
});

t.test('a full read buffer ends the batch, and nobody is passed over', async (t) => {
  // Room for one socket per batch; every pipe always has more.
  const poller = makePoller(t, { readBufferBytes: 4096 });
  const pipes = [new Pipe(), new Pipe(), new Pipe()];
  const order: number[] = [];
  for (const [index, pipe] of pipes.entries()) {
    const refill = (): void => {
      order.push(index);
      pipe.write('x'.repeat(4096));
    };
    poller.adopt(pipe.readEnd, new Recorder({ onData: refill }).handlers);
    pipe.write('x'.repeat(4096));
  }
  await until(() => order.length >= 9);
  t.same(order.slice(0, 9), [0, 1, 2, 0, 1, 2, 0, 1, 2]);
});

t.test('more ready sockets than one batch takes are all served', async (t) => {
  const poller = makePoller(t, { eventsMax: 2 });
  const recorders: Recorder[] = [];
  for (let index = 0; index < 7; index++) {
    const pipe = new Pipe();
    const recorder = new Recorder();
    recorders.push(recorder);
    poller.adopt(pipe.readEnd, recorder.handlers);
    pipe.write(`${index}`);
  }
  await until(() => recorders.every((recorder) => recorder.text !== ''));
  t.same(
    recorders.map((recorder) => recorder.text),
    ['0', '1', '2', '3', '4', '5', '6'],
  );
  t.equal(poller.stats().batches, 4);
});

t.test('microtasks and next ticks of a batch run before the next one', async (t) => {
  const poller = makePoller(t, { eventsMax: 1 });
  const order: string[] = [];
  for (const name of ['a', 'b']) {
    const pipe = new Pipe();
    const record = (): void => {
      order.push(name);
      process.nextTick(() => order.push(`${name} tick`));
      void Promise.resolve().then(() => order.push(`${name} microtask`));
    };
    poller.adopt(pipe.readEnd, new Recorder({ onData: record }).handlers);
    pipe.write('x');
  }
  await until(() => order.length === 6);
  t.same(order, ['a', 'a tick', 'a microtask', 'b', 'b tick', 'b microtask']);
});

t.test(
  'what several callbacks of the loop write leaves together where that is asked for',
  async (t) => {
    for (const { gathersWrites, calls } of [
      { gathersWrites: false, calls: 2 },
      { gathersWrites: true, calls: 1 },
    ]) {
      const poller = makePoller(t, { gathersWrites });
      const { client, atServer } = await connection(poller, unixAddress(t));
      const { flushCalls } = poller.stats();
      for (const text of ['a', 'b']) setImmediate(() => client.write(text));
      await until(() => atServer.text === 'ab');
      t.equal(poller.stats().flushCalls - flushCalls, calls);
    }
  },
);

t.test('what sockets write in one turn leaves in the order of their first write', async (t) => {
  const poller = makePoller(t);
  const pipe = new Pipe();
  // Both write into the same pipe, so that the order of the system calls is seen.
  const again = openSync(`/proc/self/fd/${pipe.writeEnd}`, 'w');
  const [first, second] = [again, pipe.writeEnd].map((fd) =>
    poller.adopt(fd, new Recorder().handlers),
  );
  let text = '';
  const recorder = new Recorder({ onData: (chunk) => (text += chunk) });
  poller.adopt(pipe.readEnd, recorder.handlers);
  first?.write(Buffer.from('the order'));
  second?.write(Buffer.alloc(pollLimits.writeCopyBytesMax + 1, 'x'));
  first?.end();
  second?.end();
  await recorder.ended;
  t.equal(text.slice(0, 12), 'the orderxxx');
  t.equal(text.length, 9 + pollLimits.writeCopyBytesMax + 1);
});
