import t from 'tap';
import { ask, assertProblem, startDaemon } from './daemon.js';
import { refuseWith, reply, report } from './fake-controller.js';
import { wallMs, worker } from './overview-samples.js';

const shown = (changes: object = {}) => {
  const heardAt = new Date(wallMs - 500).toISOString();
  const connectedAt = new Date(wallMs - 60_000).toISOString();
  return { ...worker(), heardAt, connectedAt, ...changes };
};

t.test('GET /v1/workers shows each connected worker and its isolation', async (t) => {
  const daemon = await startDaemon(t);
  const pool = { prepared: 1, warmStarts: 4, coldStarts: 2 };
  const workers = [worker(), worker({ id: 'python-2', draining: true, pool })];
  daemon.controller.behaviour = (message, connection) => {
    if (message.kind === 'status') connection.send(report(message.requestId, { workers }));
  };
  const answer = await ask(daemon.address, { path: '/v1/workers' });
  t.equal(answer.status, 200);
  const second = shown({ id: 'python-2', draining: true, pool });
  t.strictSame(answer.json, { workers: [shown(), second] });
  daemon.controller.behaviour = (message, connection) => {
    const more = { workers, workersMore: true } as const;
    if (message.kind === 'status') connection.send(report(message.requestId, more));
  };
  t.match((await ask(daemon.address, { path: '/v1/workers' })).json, { workersMore: true });
  t.equal((await ask(daemon.address, { path: '/v1/workers?x=1' })).status, 400);
  t.equal((await ask(daemon.address, { path: '/v1/workers', method: 'POST' })).status, 405);
});

t.test('a worker is drained by its name', async (t) => {
  const { ask, controller } = await startDaemon(t);
  controller.behaviour = reply({ kind: 'worker', worker: worker({ draining: true }) });
  const answer = await ask({ method: 'POST', path: '/v1/workers/python-1/drain', body: 'x' });
  t.equal(answer.status, 202);
  t.same(answer.json, shown({ draining: true }));
  t.equal((await controller.next('drainWorker')).workerId, 'python-1');
  await ask({ method: 'POST', path: '/v1/workers/a%2Fb%20c/drain' });
  t.equal((await controller.next('drainWorker')).workerId, 'a/b c');
  const longest = '가'.repeat(128);
  const path = `/v1/workers/${encodeURIComponent(longest)}/drain`;
  await ask({ method: 'POST', path });
  t.equal((await controller.next('drainWorker')).workerId, longest);
  const longer = await ask({ method: 'POST', path: `/v1/workers/${'w'.repeat(129)}/drain` });
  assertProblem(t, longer, 404, 'UNKNOWN_WORKER');
  controller.behaviour = refuseWith('UNKNOWN_WORKER', 'no worker perl-1 is connected');
  const unknown = await ask({ method: 'POST', path: '/v1/workers/perl-1/drain' });
  t.match(assertProblem(t, unknown, 404, 'UNKNOWN_WORKER').detail, /perl-1/);
  assertProblem(t, await ask({ path: '/v1/workers/x/drain' }), 405, 'METHOD_NOT_ALLOWED');
});
