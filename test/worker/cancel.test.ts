import { existsSync } from 'node:fs';
import t from 'tap';
import { eventually, isAlive, startRig } from './test-worker.js';

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

t.test('cancelling what runs kills its whole group and keeps the output so far', async (t) => {
  const { controller, worker, folder } = await startRig(t, 'bash');
  const key = controller.start({
    code: `sleep 60 & echo $! $$; touch ${folder}/ready; wait`,
  });
  await controller.started(key);
  await eventually(() => worker.stats().running === 1);
  await eventually(() => existsSync(`${folder}/ready`));
  controller.cancel(key);
  const result = await controller.result(key);
  t.match(result, { outcome: 'cancelled', code: 'CANCELLED', signal: 'SIGKILL' });
  t.match(result.reason, /^The task was cancelled after \d+ ms\.$/);
  const pids = text(result.stdout).trim().split(' ').map(Number);
  t.equal(pids.length, 2);
  await eventually(() => !pids.some(isAlive));
});

t.test('cancelling what waits answers at once, and it never runs', async (t) => {
  const { controller, folder } = await startRig(t, 'bash', { slots: 1 });
  const blocker = controller.start({ code: 'sleep 60' });
  const waiting = controller.start({ code: `touch ${folder}/ran` });
  const other = controller.start({ code: `touch ${folder}/ran` });
  await controller.started(blocker);
  controller.cancel(waiting, 'client_gone');
  controller.cancel(other, 'deadline');
  t.match(await controller.result(waiting), {
    outcome: 'cancelled',
    code: 'CLIENT_GONE',
    reason: /^The client that waited for it went away before it ran\.$/,
    usage: undefined,
  });
  t.match(await controller.result(other), { outcome: 'internal_fail', code: 'WORKER_BUSY' });
  controller.cancel(blocker);
  await controller.result(blocker);
  const { code } = await controller.run({ code: `test -e ${folder}/ran` });
  t.equal(code, 'EXIT_NONZERO', 'the file is not there');
  t.equal(controller.all('started').length, 2);
});

t.test('of an attempt that is not here the worker says so, once its result is known', async (t) => {
  const { controller, worker } = await startRig(t, 'noop');
  controller.acknowledges = false;
  const held = controller.start({ code: '' });
  await controller.result(held);
  controller.cancel(held);
  const never = { ...held, attempt: 2 };
  controller.cancel(never, 'deadline');
  await controller.until(() => controller.all('recalled').length > 0);
  controller.acknowledge(held);
  await eventually(() => worker.stats().unacknowledged === 0);
  controller.cancel(held);
  await controller.until(() => controller.all('recalled').length > 1);
  t.strictSame(controller.all('recalled'), [
    { kind: 'recalled', ...never },
    { kind: 'recalled', ...held },
  ]);
  t.equal(controller.resultsOf(held).length, 1);
});

t.test('each cause has its code', async (t) => {
  const { controller } = await startRig(t, 'bash');
  for (const [cause, code] of [
    ['caller', 'CANCELLED'],
    ['client_gone', 'CLIENT_GONE'],
    ['stale', 'CANCELLED'],
  ] as const) {
    const key = controller.start({ code: 'sleep 60' });
    await controller.started(key);
    controller.cancel(key, cause);
    t.match(await controller.result(key), { outcome: 'cancelled', code }, cause);
  }
});

t.test('cancelled twice, running or waiting: exactly one result, of the first cause', async (t) => {
  const { controller } = await startRig(t, 'bash', { slots: 1 });
  const running = controller.start({ code: 'sleep 60' });
  const waiting = controller.start({ code: 'sleep 60' });
  await controller.started(running);
  for (const key of [waiting, running]) {
    controller.cancel(key, 'caller');
    controller.cancel(key, 'client_gone');
  }
  await Promise.all([controller.result(running), controller.result(waiting)]);
  await controller.roundTrip();
  for (const key of [waiting, running]) {
    t.strictSame(
      controller.resultsOf(key).map(({ outcome, code }) => [outcome, code]),
      [['cancelled', 'CANCELLED']],
    );
  }
});

t.test('cancelled in the same turn as it was sent: one result, whatever had begun', async (t) => {
  const { controller } = await startRig(t, 'bash');
  for (let round = 0; round < 20; round++) {
    const key = controller.start({ code: 'sleep 60' });
    controller.cancel(key);
    t.match(await controller.result(key), { outcome: 'cancelled' });
    t.equal(controller.resultsOf(key).length, 1);
  }
});

t.test('cancelling what is unknown, finished, or another attempt does nothing', async (t) => {
  const { controller } = await startRig(t, 'bash');
  const finished = controller.start({ code: 'true' });
  await controller.result(finished);
  const running = controller.start({ code: 'read line; echo $line', stdin: Buffer.from('x\n') });
  controller.cancel(finished);
  controller.cancel({ ...running, attempt: 2 });
  controller.cancel({ taskId: '00000000-0000-0000-0000-000000000000', attempt: 1 });
  t.match(await controller.result(running), { outcome: 'success' });
  t.equal(controller.all('result').length, 2);
  t.strictSame(controller.closings, []);
});
