import t from 'tap';
import { ask, startDaemon } from './daemon.js';
import { report } from './fake-controller.js';

t.test('GET /v1/workers shows each connected worker and its isolation', async (t) => {
  const daemon = await startDaemon(t);
  const isolation = { level: 'strict' as const, layers: ['seccomp', 'landlock'] };
  const workers = [{ id: 'python-1', type: 'python', slots: 2, busy: 1, pid: 7, isolation }];
  daemon.controller.behaviour = (message, connection) => {
    if (message.kind === 'status') connection.send(report(message.requestId, { workers }));
  };
  const answer = await ask(daemon.address, { path: '/v1/workers' });
  t.equal(answer.status, 200);
  t.strictSame(answer.json, { workers });
  t.equal((await ask(daemon.address, { path: '/v1/workers?x=1' })).status, 400);
  t.equal((await ask(daemon.address, { path: '/v1/workers', method: 'POST' })).status, 405);
});
