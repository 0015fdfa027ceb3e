import { randomUUID } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { pino } from 'pino';
import t from 'tap';
import { parseAddress } from '../../src/poll/address.js';
import { Poller } from '../../src/poll/poller.js';
import { encodeFrame } from '../../src/wire/codec.js';
import { wireLimits } from '../../src/wire/limits.js';
import type { Message } from '../../src/wire/messages.js';
import { Session } from '../../src/worker/session.js';
import { startWorker } from '../../src/worker/worker.js';
import { TestController, token } from './test-controller.js';
import { eventually, openDescriptors, startRig, temporaryFolder } from './test-worker.js';

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

t.test('the inventory comes first and says what the worker is and has', async (t) => {
  const { controller, worker } = await startRig(t, 'bash', { slots: 3 });
  const running = controller.start({ code: 'sleep 60' });
  await controller.started(running);
  const next = await TestController.connect(worker.address);
  t.teardown(() => next.close());
  t.strictSame(next.messages[0], {
    kind: 'inventory',
    type: 'bash',
    slots: 3,
    prefetch: 3,
    pid: process.pid,
    isolation: { level: 'none', layers: ['start', 'rlimits', 'no-new-privileges'] },
    running: [running],
    unacknowledged: [],
  });
});

t.test('what runs goes on without a controller, and the result waits for the next', async (t) => {
  const { controller, worker, folder } = await startRig(t, 'bash');
  const key = controller.start({
    code: `until test -e ${folder}/go; do sleep 0.01; done; echo on`,
  });
  await controller.started(key);
  controller.disconnect();
  await eventually(() => worker.stats().connections === 0);
  t.equal(worker.stats().running, 1);
  writeFileSync(join(folder, 'go'), '');
  await eventually(() => worker.stats().unacknowledged === 1);
  const next = await TestController.connect(worker.address);
  t.teardown(() => next.close());
  t.match(next.all('inventory'), [{ running: [], unacknowledged: [key] }]);
  const result = await next.result(key);
  t.match(result, { outcome: 'success' });
  t.equal(text(result.stdout), 'on\n');
  await eventually(() => worker.stats().unacknowledged === 0);
});

t.test(
  'a result that is not acknowledged is sent again on each connection, and only then',
  async (t) => {
    const { controller, worker } = await startRig(t, 'noop');
    controller.acknowledges = false;
    const keys = [1, 2, 3].map(() => controller.start({ code: '' }));
    for (const key of keys) await controller.result(key);
    controller.acknowledge(keys[1] as { taskId: string; attempt: number });
    await eventually(() => worker.stats().unacknowledged === 2);
    for (let round = 0; round < 2; round++) {
      const next = await TestController.connect(worker.address, false);
      t.teardown(() => next.close());
      await next.until(() => next.all('result').length === 2);
      t.strictSame(next.all('inventory')[0]?.unacknowledged, [keys[0], keys[2]]);
      t.strictSame(
        next.all('result').map(({ taskId }) => taskId),
        [keys[0]?.taskId, keys[2]?.taskId],
      );
    }
    t.equal(controller.all('result').length, 3);
  },
);

t.test('of two connections one is pinged, and both go when its peer is silent', async (t) => {
  const poller = new Poller();
  t.teardown(() => poller.close());
  const inventory: Message = {
    ...{ kind: 'inventory', type: 'noop', slots: 1, prefetch: 0, pid: process.pid },
    ...{ isolation: { level: 'none', layers: [] }, running: [], unacknowledged: [] },
  };
  const session = new Session(
    { role: 'worker', id: 'noop-1', instance: randomUUID() },
    token,
    {
      onOpen: (channel, connection) => {
        if (channel === 'emitter') connection.send(inventory);
      },
      onMessage: () => undefined,
      onClose: () => undefined,
    },
    pino({ level: 'silent' }),
  );
  const address = `unix:${join(temporaryFolder(t), 'w.sock')}`;
  poller.listen(parseAddress(address), { onError: (error) => t.fail(error) }, (socket) =>
    session.accept(socket),
  );
  const controller = await TestController.connect(address);
  t.teardown(() => controller.close());
  const { receiver, emitter } = controller;
  const before = { receiver: receiver?.heardAtMs, emitter: emitter?.heardAtMs };
  session.heartbeat(performance.now() + wireLimits.pingAfterMs);
  await eventually(() => receiver?.heardAtMs !== before.receiver);
  t.equal(emitter?.heardAtMs, before.emitter);
  t.equal(session.size, 2);
  session.heartbeat(performance.now() + wireLimits.silenceMs + 1);
  await eventually(() => session.size === 0);
  await controller.until(() => controller.closings.length === 2);
});

t.test('acknowledging what is unknown, or twice, harms nothing', async (t) => {
  const { controller, worker } = await startRig(t, 'noop');
  const key = controller.start({ code: '' });
  await controller.result(key);
  controller.acknowledge(key, key, { ...key, attempt: 9 });
  await controller.roundTrip();
  await eventually(() => worker.stats().unacknowledged === 0);
  t.equal(worker.stats().unacknowledgedBytes, 0);
  t.strictSame(controller.closings, []);
});

t.test('an attempt that is here already is not executed again', async (t) => {
  const { controller, folder } = await startRig(t, 'bash', { slots: 1 });
  controller.acknowledges = false;
  const running = controller.start({ code: `echo x >> ${folder}/log; sleep 0.1` });
  const waiting = controller.start({ code: `echo x >> ${folder}/log` });
  for (const key of [running, waiting])
    controller.start({ code: `echo y >> ${folder}/log`, ...key });
  await controller.result(running);
  await controller.result(waiting);
  for (const key of [running, waiting])
    controller.start({ code: `echo z >> ${folder}/log`, ...key });
  const result = await controller.run({ code: `cat ${folder}/log` });
  t.equal(text(result.stdout), 'x\nx\n');
  t.equal(controller.all('result').length, 3);
});

t.test('two attempts of one task run beside each other', async (t) => {
  const { controller } = await startRig(t, 'bash');
  const first = controller.start({ code: 'sleep 60' });
  await controller.started(first);
  const second = controller.start({ ...first, attempt: 2, code: 'echo second' });
  t.match(await controller.result(second), { outcome: 'success' });
  controller.cancel(first, 'stale');
  t.match(await controller.result(first), { outcome: 'cancelled' });
});

t.test('what comes when slots and queue are taken is refused as WORKER_BUSY', async (t) => {
  const { controller, worker } = await startRig(t, 'bash', { slots: 1 });
  const taken = [1, 2, 3].map(() => controller.start({ code: 'sleep 60' }));
  const refused = controller.start({ code: 'echo never' });
  const result = await controller.result(refused);
  t.match(result, { outcome: 'internal_fail', code: 'WORKER_BUSY', exitCode: undefined });
  t.match(result.reason, /^All 1 slots of the worker bash-1 and its queue are taken\.$/);
  t.match(worker.stats(), { running: 1, queued: 2 });
  for (const key of taken) controller.cancel(key);
  for (const key of taken) t.match(await controller.result(key), { outcome: 'cancelled' });
});

t.test('the newest controller wins: the older one loses both its connections', async (t) => {
  const { controller, worker, logged } = await startRig(t, 'noop');
  const newer = await TestController.connect(worker.address);
  t.teardown(() => newer.close());
  await controller.until(() => controller.closings.length === 2);
  t.match(await newer.run({ code: '' }), { outcome: 'success' });
  t.equal(worker.stats().connections, 2);
  t.equal(logged.filter(({ code }) => code === 'SUPERSEDED').length, 2);
});

t.test('the same controller may replace one connection and keeps the other', async (t) => {
  const { controller, worker } = await startRig(t, 'noop');
  const { receiver } = controller;
  controller.receiver = await controller.open('receiver');
  await controller.until(() => controller.closings.length === 1);
  t.equal(receiver?.open, false);
  t.equal(controller.emitter?.open, true);
  t.match(await controller.run({ code: '' }), { outcome: 'success' });
  t.equal(worker.stats().connections, 2);
});

t.test(
  'a second worker on the same socket refuses to start; on a dead one it starts',
  async (t) => {
    const { worker, controller, folder, workDirectory } = await startRig(t, 'bash');
    const running = controller.start({ code: 'sleep 0.2; echo still here > file; cat file' });
    await controller.started(running);
    const log = pino({ level: 'silent' });
    const options = {
      name: 'bash-1',
      type: 'bash',
      slots: 1,
      listen: worker.address,
      wireToken: token,
      isolation: 'none' as const,
      workDirectory,
      log,
    };
    await t.rejects(startWorker(options), { code: 'EADDRINUSE' });
    const result = await controller.result(running);
    t.equal(text(result.stdout), 'still here\n', 'the directory of the running one was left alone');
    const dead = join(folder, 'dead.sock');
    const server = net.createServer().listen(dead);
    await new Promise((resolve) => server.once('listening', resolve));
    renameSync(dead, `${dead}.kept`);
    await new Promise((resolve) => server.close(resolve));
    renameSync(`${dead}.kept`, dead);
    const other = await startWorker({
      ...options,
      listen: `unix:${dead}`,
      workDirectory: join(folder, 'work2'),
    });
    await other.close();
  },
);

t.test(
  'garbage, half a frame, a length of 4 GiB and a wrong token harm only their connection',
  async (t) => {
    const { controller, worker, folder, logged } = await startRig(t, 'noop');
    const path = join(folder, 'w.sock');
    const hello = Buffer.from([0, 0, 0, 40, 0x81, 0xa4]);
    const garbage: Buffer[] = [
      Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
      Buffer.from([0xff, 0xff, 0xff, 0xff, 1, 2, 3]),
      Buffer.from([0, 0, 0, 0]),
      Buffer.from([0, 0, 0, 3, 0xc1, 0xc1, 0xc1]),
      Buffer.from([0, 0, 0, 1, 0xc0]),
      encodeFrame({ kind: 2n ** 63n - 1n } as never),
      encodeFrame({ kind: 7 } as never),
      Buffer.alloc(100_000, 0x80),
    ];
    const before = openDescriptors();
    for (const bytes of garbage) {
      await new Promise<void>((resolve) => {
        const client = net.connect(path, () => client.write(bytes));
        client.on('error', () => undefined);
        client.resume();
        client.on('close', () => resolve());
      });
    }
    const half = net.connect(path);
    half.write(hello);
    await new Promise((resolve) => half.once('ready', resolve));
    await t.rejects(controller.open('receiver', Buffer.from('another token, not the right one')));
    half.destroy();
    await eventually(() => openDescriptors() <= before);
    t.match(await controller.run({ code: '' }), { outcome: 'success' });
    t.equal(worker.stats().connections, 2);
    const codes = new Set(logged.map(({ code }) => code));
    for (const code of ['FRAME_TOO_LARGE', 'FRAME_EMPTY', 'FRAME_MALFORMED', 'MESSAGE_INVALID']) {
      t.ok(codes.has(code), code);
    }
  },
);

t.test('a message that has no place on its channel closes that connection alone', async (t) => {
  const { controller, worker } = await startRig(t, 'noop');
  controller.emitter?.send({ kind: 'drain' });
  await controller.until(() => controller.closings.length === 1);
  t.match(worker.stats(), { serving: true });
  await eventually(() => worker.stats().connections === 1);
});

t.test('strangers that say nothing cannot keep the controller out', async (t) => {
  const { worker, folder, logged } = await startRig(t, 'noop');
  const strangers = Array.from({ length: wireLimits.unprovenConnectionsMax + 10 }, () => {
    const stranger = net.connect(join(folder, 'w.sock'));
    stranger.on('error', () => undefined);
    return stranger;
  });
  t.teardown(() => {
    for (const stranger of strangers) stranger.destroy();
  });
  await eventually(() => logged.filter(({ code }) => code === 'TOO_MANY_UNPROVEN').length === 10);
  const controller = await TestController.connect(worker.address);
  t.teardown(() => controller.close());
  t.match(await controller.run({ code: '' }), { outcome: 'success' });
});
