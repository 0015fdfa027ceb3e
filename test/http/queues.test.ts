import t from 'tap';
import { assertProblem, startDaemon } from './daemon.js';
import { refuseWith, reply } from './fake-controller.js';

const queue = {
  type: 'python',
  paused: false,
  ready: 3,
  waiting: 1,
  running: 2,
  workers: 1,
  slots: 2,
};

t.test('queues are shown in numbers', async (t) => {
  const { ask, controller } = await startDaemon(t);
  controller.behaviour = reply({ kind: 'queueReports', queues: [queue] });
  const answer = await ask({ path: '/v1/queues' });
  t.equal(answer.status, 200);
  t.same(answer.json, { queues: [queue] });
  assertProblem(t, await ask({ path: '/v1/queues?x=1' }), 400, 'UNKNOWN_PARAMETER');
});

t.test('a queue is paused and resumed, as often as one likes', async (t) => {
  const { ask, controller } = await startDaemon(t);
  for (const [order, kind, paused] of [
    ['pause', 'pauseQueue', true],
    ['pause', 'pauseQueue', true],
    ['resume', 'resumeQueue', false],
    ['resume', 'resumeQueue', false],
  ] as const) {
    controller.behaviour = reply({ kind: 'queueReports', queues: [{ ...queue, paused }] });
    const answer = await ask({ method: 'POST', path: `/v1/queues/python/${order}` });
    t.equal(answer.status, 200);
    t.same(answer.json, { ...queue, paused });
    t.equal((await controller.next(kind)).type, 'python');
  }
});

t.test('a type without workers is not there', async (t) => {
  const { ask, controller } = await startDaemon(t);
  for (const type of ['No', '1x', '%2e%2e', 'x'.repeat(33)]) {
    const answer = await ask({ method: 'POST', path: `/v1/queues/${type}/pause` });
    assertProblem(t, answer, 404, 'UNKNOWN_TYPE');
  }
  t.same(controller.received, []);
  controller.behaviour = refuseWith('UNKNOWN_TYPE', 'there are no workers of type perl');
  const answer = await ask({ method: 'POST', path: '/v1/queues/perl/resume' });
  t.match(assertProblem(t, answer, 404, 'UNKNOWN_TYPE').detail, /perl/);
  assertProblem(t, await ask({ path: '/v1/queues/python/pause' }), 405, 'METHOD_NOT_ALLOWED');
});
