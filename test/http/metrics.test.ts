import t from 'tap';
import type { Family } from '../../src/figures.js';
import { exposition } from '../../src/http/exposition.js';
import { ask, assertProblem, startDaemon } from './daemon.js';
import { answerWith, finished, refuseWith, silent } from './fake-controller.js';
import { readExposition } from './metrics-text.js';

const metrics = async (address: string) => {
  const answer = await ask(address, { path: '/metrics' });
  return { answer, figures: readExposition(answer.text) };
};

t.test('families of one name become one, buckets add up, and labels are escaped', async (t) => {
  const hostile = 'a"b\\c\nd}';
  const family = (labels: Record<string, string>): Family => ({
    ...{ name: 'x_seconds', help: 'of x', kind: 'histogram', bounds: [0.5, 1] },
    series: [{ labels, counts: [1, 2, 3], sum: 7.5 }],
  });
  const text = await exposition([family({ part: 'a' }), family({ part: hostile })]);
  const figures = readExposition(text);
  t.same([...figures.types], [['x_seconds', 'histogram']]);
  for (const part of ['a', hostile]) {
    const of = (le: string) => figures.value('x_seconds_bucket', { part, le });
    t.same([of('0.5'), of('1'), of('+Inf')], [1, 3, 6]);
    t.equal(figures.value('x_seconds_count', { part }), 6);
    t.equal(figures.value('x_seconds_sum', { part }), 7.5);
  }
});

t.test(
  'requests are counted by route, method and status, and nothing that was sent is',
  async (t) => {
    const daemon = await startDaemon(t);
    await daemon.ask({ path: '/execute?code=secret1' });
    await daemon.ask({ path: '/nowhere/secret2' });
    await daemon.ask({ path: '/else/secret3', method: 'POST' });
    await daemon.ask({ path: '/execute', method: 'DELETE' });
    await daemon.ask({ path: '/execute', method: 'PATCH' });
    await daemon.ask({ path: '/v1/tasks/secret4' });
    await daemon.ask({ path: '/v1/tasks/secret5' });
    const { answer, figures } = await metrics(daemon.debugAddress);
    t.equal(answer.status, 200);
    t.equal(answer.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
    const count = (route: string, method: string, status: string) =>
      figures.value('scriptd_http_requests_total', { port: 'http', route, method, status });
    t.equal(count('/execute', 'GET', '200'), 1);
    t.equal(count('(none)', '(other)', '404'), 2);
    t.equal(count('/execute', '(other)', '405'), 2);
    t.equal(count('/v1/tasks/:id', 'GET', '400'), 2);
    const took = { port: 'http', route: '/execute', method: 'GET' };
    t.equal(figures.value('scriptd_http_request_duration_seconds_count', took), 1);
    t.notMatch(answer.text, /secret/);
    assertProblem(t, await daemon.ask({ path: '/metrics' }), 404, 'NOT_FOUND');
  },
);

t.test('what the controller says is shown beside what the daemon is', async (t) => {
  const daemon = await startDaemon(t);
  const series = [{ labels: { type: 'python' }, value: 7 }];
  const families: Family[] = [{ name: 'scriptd_told', help: 'told', kind: 'gauge', series }];
  daemon.controller.behaviour = (message, connection) => {
    if (message.kind !== 'measure') answerWith(finished())(message, connection);
    else connection.send({ kind: 'figures', requestId: message.requestId, families, parts: [] });
  };
  await daemon.status();
  const { figures } = await metrics(daemon.debugAddress);
  t.equal(figures.value('scriptd_controller_up'), 1);
  t.equal(figures.value('scriptd_told', { type: 'python' }), 7);
  t.equal(figures.value('scriptd_http_requests_total'), undefined, 'this is the first request');
  t.ok(figures.value('scriptd_wire_frames_total', { part: 'http', direction: 'in' }));
});

t.test('without a controller there are still metrics, which say so', async (t) => {
  const daemon = await startDaemon(t, {}, false);
  const { answer, figures } = await metrics(daemon.debugAddress);
  t.equal(answer.status, 200);
  t.equal(figures.value('scriptd_controller_up'), 0);
  t.type(figures.value('scriptd_process_memory_bytes', { part: 'http', of: 'resident' }), 'number');
  t.equal(figures.value('scriptd_process_uptime_seconds', { part: 'controller' }), undefined);
  const loop = await ask(daemon.debugAddress, { path: '/debug/loop' });
  t.match(loop.json, { parts: [{ part: 'http' }], controllerFault: /no connection/ });
});

t.test('a controller that does not answer, or cannot, is not waited for', async (t) => {
  const daemon = await startDaemon(t);
  await daemon.status();
  const { controller } = daemon;
  controller.behaviour = silent;
  const both = await Promise.all([metrics(daemon.debugAddress), metrics(daemon.debugAddress)]);
  for (const { figures } of both) t.equal(figures.value('scriptd_controller_up'), 0);
  const asked = controller.received.filter(({ kind }) => kind === 'measure');
  t.equal(asked.length, 1, 'two looks at once are one question');

  controller.breakConnections();
  controller.behaviour = refuseWith('INTERNAL', 'no idea');
  await t.rejects(daemon.status(), { code: 'INTERNAL' }, 'it is connected again');
  t.equal((await metrics(daemon.debugAddress)).figures.value('scriptd_controller_up'), 0);

  controller.behaviour = answerWith(finished());
  t.equal((await metrics(daemon.debugAddress)).figures.value('scriptd_controller_up'), 1);
});
