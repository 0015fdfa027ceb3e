import net from 'node:net';
import t, { type Test } from 'tap';
import { ControllerLink } from '../../src/http/controller-link.js';
import { httpLimits } from '../../src/http/limits.js';
import { parseAddress } from '../../src/poll/address.js';
import { Poller } from '../../src/poll/poller.js';
import type { MessageOf } from '../../src/wire/messages.js';
import { Transport } from '../../src/wire/transport.js';
import { assertProblem, silentLog, startDaemon } from './daemon.js';
import {
  answerWith,
  FakeController,
  finished,
  pending,
  reply,
  report,
  silent,
  taskId,
  wireToken,
} from './fake-controller.js';

const longMs = 60_000;

function startLink(t: Test, controller: FakeController, controllerWaitMs = longMs) {
  const poller = new Poller();
  const address = parseAddress(controller.address);
  const log = silentLog;
  const link = new ControllerLink({
    transport: new Transport(),
    poller,
    address,
    token: wireToken,
    controllerWaitMs,
    log,
  });
  t.teardown(() => {
    link.close();
    poller.close();
    controller.dispose();
  });
  return link;
}

const spec = { code: 'x', type: 'python' };

t.test('a request that comes before the controller waits for it', async (t) => {
  const controller = new FakeController();
  const link = startLink(t, controller);
  t.notOk(link.connected);
  const { answer } = link.run(spec);
  controller.start();
  t.equal((await answer).id, taskId);
  t.ok(link.connected);
});

t.test('without a controller a request fails once its wait is over', async (t) => {
  const link = startLink(t, new FakeController(), 20);
  await t.rejects(link.store(spec), { code: 'CONTROLLER_UNAVAILABLE' });
  await t.rejects(link.status(), { code: 'CONTROLLER_UNAVAILABLE' });
});

t.test(
  'a submission in flight fails when the controller dies, and is not sent again',
  async (t) => {
    const controller = new FakeController();
    controller.start();
    controller.behaviour = silent;
    const link = startLink(t, controller);
    const stored = t.rejects(link.store(spec), { code: 'CONTROLLER_LOST' });
    const kept = t.rejects(link.run(spec).answer, { code: 'CONTROLLER_LOST' });
    const cancelled = t.rejects(link.cancelTask(taskId), { code: 'CONTROLLER_LOST' });
    await controller.next('submit');
    await controller.next('submit');
    await controller.next('cancelTask');
    controller.stop();
    await Promise.all([stored, kept, cancelled]);
    controller.behaviour = answerWith(finished());
    controller.start();
    t.equal((await link.get(taskId)).id, taskId, 'it is connected again');
    t.same(
      controller.received.map(({ kind }) => kind),
      ['get'],
    );
  },
);

t.test('what is safe to repeat is asked again of the controller that comes back', async (t) => {
  const controller = new FakeController();
  controller.start();
  controller.behaviour = silent;
  const link = startLink(t, controller);
  const answers = [link.get(taskId), link.watch(taskId).answer] as const;
  const status = link.status();
  await controller.next('get');
  await controller.next('watch');
  await controller.next('status');
  controller.stop();
  controller.behaviour = answerWith(finished());
  controller.start();
  for (const answer of answers) t.equal((await answer).id, taskId);
  t.equal((await status).ready, true);
});

t.test(
  'a submission with an idempotency key is sent again, and so is what orders nothing twice',
  async (t) => {
    const controller = new FakeController();
    controller.start();
    controller.behaviour = silent;
    const link = startLink(t, controller);
    const stored = link.store({ ...spec, idempotencyKey: 'k' });
    const queue = link.setQueuePaused('python', true);
    const turned = link.setScheduleEnabled('s', false);
    const retried = t.rejects(link.retryTask(taskId), { code: 'CONTROLLER_LOST' });
    const deleted = t.rejects(link.deleteSchedule('s'), { code: 'CONTROLLER_LOST' });
    await controller.next('submit');
    await controller.next('pauseQueue');
    await controller.next('setScheduleEnabled');
    await controller.next('retryTask');
    await controller.next('deleteSchedule');
    controller.stop();
    const queued = {
      type: 'python',
      paused: true,
      ready: 0,
      waiting: 0,
      running: 0,
      workers: 0,
      slots: 0,
    };
    const schedule = {
      id: 's',
      cron: '@daily',
      timeZone: 'UTC',
      missed: 'skip',
      enabled: false,
      task: spec,
    } as const;
    controller.behaviour = (message, connection) => {
      if (message.kind === 'submit')
        reply({ kind: 'task', task: pending(), replayed: true })(message, connection);
      else if (message.kind === 'setScheduleEnabled')
        reply({ kind: 'schedule', schedule })(message, connection);
      else reply({ kind: 'queueReports', queues: [queued] })(message, connection);
    };
    controller.start();
    t.match(await stored, { task: { id: taskId }, replayed: true });
    t.equal((await controller.next('submit')).task.idempotencyKey, 'k');
    t.same(await queue, queued);
    t.same(await turned, schedule);
    await Promise.all([retried, deleted]);
  },
);

t.test('an answer to another question than was asked breaks the connection', async (t) => {
  const controller = new FakeController();
  controller.start();
  const link = startLink(t, controller);
  controller.behaviour = reply({ kind: 'done' });
  const lists = t.rejects(link.retryTask(taskId), { code: 'CONTROLLER_LOST' });
  await lists;
  controller.behaviour = reply({ kind: 'page', tasks: [], next: 'n' });
  t.match(await link.list({ limit: 1 }), { tasks: [], next: 'n' });
});

t.test('a broken connection at a controller that stays is made again', async (t) => {
  const controller = new FakeController();
  controller.start();
  const link = startLink(t, controller);
  for (let round = 0; round < 3; round++) {
    t.equal((await link.get(taskId)).id, taskId);
    controller.breakConnections();
  }
  t.equal((await link.get(taskId)).id, taskId);
});

t.test('what is forgotten is rejected, and a held answer is taken back once', async (t) => {
  const controller = new FakeController();
  controller.start();
  controller.behaviour = silent;
  const link = startLink(t, controller);
  const asked = link.run(spec);
  const { requestId } = await controller.next('submit');
  asked.forget();
  asked.forget();
  await t.rejects(asked.answer, { code: 'FORGOTTEN' });
  t.equal((await controller.next('forget')).requestId, requestId);
  controller.say({ kind: 'task', requestId, task: finished() });
  controller.behaviour = answerWith(pending());
  t.equal((await link.get(taskId)).state, 'pending', 'an answer that crossed it harms nothing');
  t.same(
    controller.received.map(({ kind }) => kind),
    ['get'],
  );
});

t.test('what is forgotten before it was sent is never sent', async (t) => {
  const controller = new FakeController();
  const link = startLink(t, controller);
  const asked = link.run(spec);
  asked.forget();
  await t.rejects(asked.answer, { code: 'FORGOTTEN' });
  controller.start();
  await link.get(taskId);
  t.same(
    controller.received.map(({ kind }) => kind),
    ['get'],
  );
});

t.test('answers find their questions, in whatever order they come', async (t) => {
  const controller = new FakeController();
  controller.start();
  controller.behaviour = silent;
  const link = startLink(t, controller);
  const first = link.run({ code: 'first' }).answer;
  const second = link.run({ code: 'second' }).answer;
  const ids = [await controller.next('submit'), await controller.next('submit')];
  for (const { requestId, task } of ids.reverse()) {
    const stdout = Buffer.from(task.code);
    controller.say({ kind: 'task', requestId, task: finished({ stdout }) });
  }
  t.same((await first).stdout, Buffer.from('first'));
  t.same((await second).stdout, Buffer.from('second'));
});

t.test('an answer that fits no question breaks the connection, and nothing else', async (t) => {
  const controller = new FakeController();
  controller.start();
  const link = startLink(t, controller);
  const wrongs = [
    () => controller.say({ kind: 'task', requestId: 999_999, task: finished() }),
    () => controller.say(report(999_999)),
  ];
  for (const wrong of wrongs) {
    await link.get(taskId);
    controller.behaviour = silent;
    const asked = link.store(spec);
    await controller.next('submit');
    wrong();
    await t.rejects(asked, { code: 'CONTROLLER_LOST' });
    controller.behaviour = answerWith(finished());
  }
  controller.behaviour = silent;
  const asked = link.store(spec);
  const { requestId } = await controller.next('submit');
  controller.say(report(requestId));
  await t.rejects(asked, { code: 'CONTROLLER_LOST' }, 'an answer of another kind');
  controller.behaviour = answerWith(finished());
  t.equal((await link.get(taskId)).id, taskId);
});

t.test('garbage from the address of the controller harms nothing', async (t) => {
  const controller = new FakeController();
  const path = controller.address.slice('unix:'.length);
  const garbage = [
    Buffer.from('HTTP/1.1 200 OK\r\n\r\n'),
    Buffer.from([0, 0, 0, 0]),
    Buffer.from([0xff, 0xff, 0xff, 0xff]),
    Buffer.from([0, 0, 0, 2, 0xc1, 0xc1]),
  ];
  let served = 0;
  const { promise, resolve } = withResolvers();
  const server = net.createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.resume();
    socket.end(garbage[served++ % garbage.length] ?? '');
    if (served === garbage.length) resolve();
  });
  await new Promise<void>((done) => server.listen(path, done));
  const link = startLink(t, controller);
  const asked = link.get(taskId);
  await promise;
  t.notOk(link.connected);
  await new Promise((done) => server.close(done));
  controller.start();
  t.equal((await asked).id, taskId, 'it is found once the real one is there');
});

t.test('a controller with another token is not believed', async (t) => {
  const controller = new FakeController();
  controller.start();
  const poller = new Poller();
  const link = new ControllerLink({
    transport: new Transport(),
    poller,
    address: parseAddress(controller.address),
    token: Buffer.from('quite another token, this one'),
    controllerWaitMs: 200,
    log: silentLog,
  });
  t.teardown(() => {
    link.close();
    poller.close();
    controller.dispose();
  });
  await t.rejects(link.status(), { code: 'CONTROLLER_UNAVAILABLE' });
  t.same(controller.received, []);
});

t.test('what is beyond its limit is refused at once', async (t) => {
  const link = startLink(t, new FakeController());
  const { requestsMax, heldRequestsMax } = httpLimits;
  const asked = Array.from({ length: heldRequestsMax }, () => link.watch(taskId));
  await t.rejects(link.watch(taskId).answer, { code: 'OVERLOADED' });
  await t.rejects(link.run(spec).answer, { code: 'OVERLOADED' });
  const quick = Array.from({ length: requestsMax - heldRequestsMax }, () => link.get(taskId));
  await t.rejects(link.status(), { code: 'OVERLOADED' });
  for (const { forget } of asked) forget();
  const settled = await Promise.allSettled(asked.map(({ answer }) => answer));
  t.ok(settled.every(({ status }) => status === 'rejected'));
  link.close();
  t.ok((await Promise.allSettled(quick)).every(({ status }) => status === 'rejected'));
});

t.test('what waits for a controller that is away takes bounded memory', async (t) => {
  const controller = new FakeController();
  const link = startLink(t, controller);
  const code = 'x'.repeat(1024 * 1024);
  const most = httpLimits.keptBytesMax / code.length;
  const asked = Array.from({ length: most }, () => link.store({ ...spec, code }));
  await t.rejects(link.store({ ...spec, code }), { code: 'OVERLOADED' });
  controller.behaviour = (message, connection) => {
    controller.received.length = 0;
    answerWith(pending())(message, connection);
  };
  controller.start();
  await Promise.all(asked);
  await link.store({ ...spec, code });
  t.pass('and once it has come there is room again');
});

t.test('closing rejects what is open, takes back what is held, and takes no more', async (t) => {
  const controller = new FakeController();
  controller.start();
  controller.behaviour = silent;
  const link = startLink(t, controller);
  const asked = t.rejects(link.run(spec).answer, { code: 'DRAINING' });
  const { requestId } = await controller.next('submit');
  link.close();
  link.close();
  await asked;
  t.equal((await controller.next('forget')).requestId, requestId);
  await t.rejects(link.get(taskId), { code: 'DRAINING' });
});

t.test('a controller that hangs is given up', async (t) => {
  const controller = new FakeController();
  controller.start();
  controller.behaviour = silent;
  const link = startLink(t, controller);
  const asked = link.store(spec);
  await controller.next('submit');
  controller.freeze();
  await t.rejects(asked, { code: 'CONTROLLER_LOST' });
});

t.test('over HTTP: no controller is a 503 that says when to ask again', async (t) => {
  const { ask } = await startDaemon(t, { controllerWaitMs: 20 }, false);
  for (const asking of [
    { path: '/execute?code=1' },
    { path: `/v1/tasks/${taskId}` },
    { method: 'POST', path: `/v1/tasks/${taskId}/cancel` },
  ]) {
    const answer = await ask(asking);
    assertProblem(t, answer, 503, 'CONTROLLER_UNAVAILABLE');
    t.equal(answer.headers['retry-after'], '1');
  }
});

t.test('over HTTP: a controller that dies in the middle is a 503', async (t) => {
  const { ask, controller } = await startDaemon(t);
  controller.behaviour = silent;
  const answer = ask({ path: '/execute?code=1' });
  await controller.next('submit');
  controller.stop();
  assertProblem(t, await answer, 503, 'CONTROLLER_LOST');
  controller.behaviour = answerWith(finished());
  controller.start();
  t.equal((await ask({ path: '/execute?code=1' })).status, 200, 'and then it goes on');
});

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

t.test('what breaks the connection by its answer twice is not asked again', async (t) => {
  const controller = new FakeController();
  controller.start();
  const asked: string[] = [];
  let isWell = false;
  controller.behaviour = (message, connection) => {
    asked.push(message.kind);
    if (message.kind === 'get') {
      const task = { ...finished(), id: 'none' };
      connection.send({ kind: 'task', requestId: message.requestId, task });
    } else if (message.kind === 'list') {
      let deep: unknown = 1;
      for (let depth = 0; depth < 20; depth++) deep = [deep];
      const { requestId } = message;
      connection.send({ kind: 'page', requestId, tasks: deep } as unknown as MessageOf<'page'>);
    } else if (isWell) answerWith(finished())(message, connection);
  };
  const link = startLink(t, controller);
  const watched = link.watch(taskId).answer;
  const explained = link.explain(taskId);
  await controller.next('watch');
  await t.rejects(link.get(taskId), { code: 'CONTROLLER_LOST', message: /not valid/ });
  t.equal(asked.filter((kind) => kind === 'get').length, 2);
  const lost = t.rejects(explained, { code: 'CONTROLLER_LOST' });
  await t.rejects(link.list({ limit: 1 }), { code: 'CONTROLLER_LOST', message: /not valid/ });
  t.equal(asked.filter((kind) => kind === 'list').length, 2);
  await lost;
  isWell = true;
  controller.breakConnections();
  t.equal((await watched).id, taskId, 'others go on');
});
