import t from 'tap';
import type { TaskSpec } from '../../src/task.js';
import { assertProblem, startDaemon } from './daemon.js';
import { finished, pending, refuseWith, reply, taskId } from './fake-controller.js';

const { stdout: _, stderr: __, ...small } = finished();

const spec: TaskSpec = {
  code: 'print("é")\r\n',
  args: ['-v'],
  stdin: Buffer.from([0xff, 0]),
  env: { A: 'b' },
  files: [{ name: '__proto__', content: Buffer.from('12345') }],
  collect: ['*.json'],
  limits: { wallMs: 5 },
  network: 'allowed',
  check: { exact: 'é' },
  retry: { maxAttempts: 2 },
  inspect: true,
  webhook: { url: 'https://example.com/secret', secret: 'whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' },
  idempotencyKey: 'a key of somebody',
};

t.test('the script comes byte for byte', async (t) => {
  const { ask, controller } = await startDaemon(t);
  controller.behaviour = reply({ kind: 'spec', task: small, spec });
  const path = `/v1/tasks/${taskId}/script`;
  const answer = await ask({ path });
  t.equal(answer.status, 200);
  t.equal(answer.text, spec.code);
  t.match(answer.headers, {
    'content-type': 'text/plain; charset=utf-8',
    'x-task-id': taskId,
    'x-task-type': 'python',
    'x-content-type-options': 'nosniff',
  });
  t.equal((await controller.next('getSpec')).taskId, taskId);
  t.equal((await ask({ method: 'HEAD', path })).body.length, 0);
});

t.test('what was asked for is told as a body asks for it, but for secrets and files', async (t) => {
  const { ask, controller } = await startDaemon(t);
  const task = { ...small, priority: 3, group: 'g', tags: ['x'] };
  controller.behaviour = reply({ kind: 'spec', task, spec });
  const answer = await ask({ path: `/v1/tasks/${taskId}/spec` });
  t.equal(answer.status, 200);
  t.same(answer.json, {
    code: spec.code,
    type: 'python',
    args: ['-v'],
    stdin: { base64: '/wA=' },
    env: { A: 'b' },
    files: JSON.parse('{"__proto__": {"bytes": 5}}'),
    collect: ['*.json'],
    limits: { wallMs: 5 },
    network: 'none',
    priority: 3,
    group: 'g',
    tags: ['x'],
    check: { exact: 'é' },
    retry: { maxAttempts: 2 },
    inspect: true,
  });
  t.notMatch(answer.text, /secret|whsec|somebody/);

  controller.behaviour = reply({ kind: 'spec', task: pending(), spec: { code: '1' } });
  t.same((await ask({ path: `/v1/tasks/${taskId}/spec` })).json, {
    ...{ code: '1', type: 'python', args: [], files: {}, limits: {}, network: 'none' },
    ...{ priority: 0, tags: [], inspect: false },
  });
});

t.test('of a task that is not there, or not by that name, nothing is told', async (t) => {
  const { ask, controller } = await startDaemon(t);
  controller.behaviour = refuseWith('UNKNOWN_TASK', 'there is no such task');
  for (const what of ['script', 'spec']) {
    assertProblem(t, await ask({ path: `/v1/tasks/${taskId}/${what}` }), 404, 'UNKNOWN_TASK');
    assertProblem(t, await ask({ path: `/v1/tasks/1/${what}` }), 400, 'INVALID_TASK_ID');
    const query = await ask({ path: `/v1/tasks/${taskId}/${what}?x=1` });
    assertProblem(t, query, 400, 'UNKNOWN_PARAMETER');
  }
});
