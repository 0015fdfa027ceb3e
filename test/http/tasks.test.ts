import net from 'node:net';
import t from 'tap';
import { httpLimits } from '../../src/http/limits.js';
import { limits } from '../../src/limits.js';
import { assertProblem, begin, startDaemon } from './daemon.js';
import {
  answerWith,
  type Behaviour,
  finished,
  pending,
  refuseWith,
  silent,
  taskId,
} from './fake-controller.js';

const json = { 'content-type': 'application/json' };
const body = (value: unknown) => JSON.stringify(value);
const submission = (value: unknown, path = '/v1/tasks', headers = {}) => ({
  method: 'POST',
  path,
  headers: { ...json, ...headers },
  body: typeof value === 'string' ? value : body(value),
});

/** Stores tasks, and answers a watch only when told to. */
const storing: Behaviour = (message, connection) => {
  if (message.kind !== 'watch') answerWith(pending())(message, connection);
};

t.test('a task is answered with 201 and its place once it is stored', async (t) => {
  const { ask, controller } = await startDaemon(t);
  controller.behaviour = storing;
  const spec = {
    code: 'print("é")',
    type: 'python',
    args: ['a', ''],
    stdin: 'é\n',
    env: { A_1: 'x' },
    limits: { wallMs: 500 },
    priority: -3,
    retry: { maxAttempts: 2 },
    group: 'g',
    tags: ['t'],
  };
  const answer = await ask(submission(spec));
  t.equal(answer.status, 201);
  t.equal(answer.headers.location, `/v1/tasks/${taskId}`);
  t.match(answer.json, { id: taskId, state: 'pending', createdAt: '2023-11-14T22:13:20.000Z' });
  const { task, reply } = await controller.next('submit');
  t.equal(reply, 'stored');
  t.same({ ...task, stdin: Buffer.from(task.stdin ?? []).toString() }, spec);
});

t.test('stdin may be any bytes, as base64 with or without padding', async (t) => {
  const { ask, controller } = await startDaemon(t);
  controller.behaviour = storing;
  for (const [base64, bytes] of [
    ['/wD+', [255, 0, 254]],
    ['/w==', [255]],
    ['/w', [255]],
    ['', []],
  ] as const) {
    t.equal((await ask(submission({ code: '', stdin: { base64 } }))).status, 201, base64);
    t.same([...((await controller.next('submit')).task.stdin ?? [])], bytes, base64);
  }
});

t.test('a field that is not right is refused by its name, with the cure', async (t) => {
  const { ask, controller } = await startDaemon(t);
  const cases: [unknown, string, RegExp][] = [
    [{ code: '', stdn: '' }, 'stdn', /did you mean `stdin`\?/],
    [{ code: '', limits: { wallMS: 1 } }, 'limits.wallMS', /did you mean `limits.wallMs`\?/],
    [{ code: '', wallMs: 1 }, 'wallMs', /not known/],
    [{ code: '', [`x${'y'.repeat(1_000_000)}`]: 1 }, 'x', /1000001 characters/],
    [{ code: '', limits: { ['y'.repeat(1_000_000)]: 1 } }, 'y', /1000000 characters/],
    [{ code: 1 }, 'code', /string/],
    [{ code: '\ud800' }, 'code', /surrogate/],
    [{ code: '', priority: '1' }, 'priority', /integer/],
    [{ code: '', priority: 101 }, 'priority', /100/],
    [{ code: '', type: 'No Such' }, 'type', /pattern/],
    [{ code: '', args: ['a', 'b\0'] }, 'args.1', /NUL/],
    [{ code: '', args: ['\udfff'] }, 'args.0', /surrogate/],
    [{ code: '', args: ['é'.repeat(limits.argBytesMax / 2 + 1)] }, 'args.0', /bytes/],
    [{ code: '', env: { A: '\0' } }, 'env.A', /NUL/],
    [{ code: '', env: { 'A B': '' } }, 'env.A B', /nothing may stand there/],
    [{ code: '', env: { ['1'.repeat(1_000_000)]: '' } }, '1', /1000000 characters/],
    [{ code: '', tags: ['\ud800x'] }, 'tags.0', /surrogate/],
    [{ code: '', group: 'é'.repeat(100) }, 'group', /bytes/],
    [{ code: '', stdin: 5 }, 'stdin', /base64/],
    [{ code: '', stdin: null }, 'stdin', /base64/],
    [{ code: '', stdin: { base46: '' } }, 'stdin', /base64/],
    [{ code: '', stdin: { base64: '', more: 1 } }, 'stdin', /base64/],
    [{ code: '', stdin: { base64: 'a b' } }, 'stdin.base64', /not base64/],
    [{ code: '', stdin: { base64: '_w==' } }, 'stdin.base64', /not base64/],
    [{ code: '', stdin: '\ud800' }, 'stdin', /surrogate/],
    [{ code: '', stdin: 'é'.repeat(limits.stdinBytesMax / 2 + 1) }, 'stdin', /bytes/],
  ];
  for (const [value, field, detail] of cases) {
    const problem = assertProblem(t, await ask(submission(value)), 400, 'INVALID_FIELD');
    t.ok(String(problem.field).startsWith(field), `${problem.field} is ${field}`);
    t.match(problem.detail, detail, field);
    t.ok(JSON.stringify(problem).length < 4_096, 'what was sent is not sent back at length');
  }
  for (const value of [[], 'null', '1', '"x"']) {
    assertProblem(t, await ask(submission(value)), 400, 'INVALID_FIELD');
  }
  const missing = assertProblem(t, await ask(submission({})), 400, 'MISSING_CODE');
  t.equal(missing.field, 'code');
  t.same(controller.received, []);
});

t.test('a body that is not JSON is refused', async (t) => {
  const { ask } = await startDaemon(t);
  for (const text of ['', '{', '{"code":"1"}x', '{"__proto__":{"code":"1"}}']) {
    assertProblem(t, await ask(submission(text)), 400, 'INVALID_JSON');
  }
  const poisoned = '{"code":"1","constructor":{"prototype":{"x":1}}}';
  assertProblem(t, await ask(submission(poisoned)), 400, 'INVALID_JSON');
  const bytes = Buffer.from('{"code":"\xff"}', 'latin1');
  const notUtf8 = { method: 'POST', path: '/v1/tasks', headers: json, body: bytes };
  assertProblem(t, await ask(notUtf8), 400, 'INVALID_UTF8');
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'nonsense']) {
    const answer = await ask(submission({ code: '' }, '/v1/tasks', { 'content-type': type }));
    t.match(assertProblem(t, answer, 415, 'UNSUPPORTED_CONTENT_TYPE').detail, /application\/json/);
  }
});

t.test('code larger than its limit in bytes is refused with 413', async (t) => {
  const { ask } = await startDaemon(t);
  const code = 'é'.repeat(limits.codeBytesMax / 2 + 1);
  assertProblem(t, await ask(submission({ code })), 413, 'CODE_TOO_LARGE');
  const huge = 'x'.repeat(limits.bodyBytesMax);
  assertProblem(t, await ask(submission({ code: huge })), 413, 'BODY_TOO_LARGE');
});

t.test('the largest task that is accepted reaches the controller', async (t) => {
  const { ask, controller } = await startDaemon(t);
  controller.behaviour = storing;
  const code = '漢'.repeat(Math.floor(limits.codeBytesMax / 3));
  const stdin = 'x'.repeat(limits.stdinBytesMax);
  t.equal((await ask(submission({ code, stdin }))).status, 201);
  const { task } = await controller.next('submit');
  t.ok(task.code === code, 'the code is whole');
  t.equal(task.stdin?.length, stdin.length);
});

t.test('wait holds the answer until the task is finished', async (t) => {
  const { ask, controller } = await startDaemon(t);
  controller.behaviour = (message, connection) => {
    if (message.kind === 'watch') answerWith(finished())(message, connection);
    else storing(message, connection);
  };
  const ways = [
    submission({ code: '' }, '/v1/tasks?wait=600'),
    submission({ code: '' }, '/v1/tasks', { prefer: 'respond-async, wait=600' }),
    submission({ code: '' }, '/v1/tasks', { prefer: 'wait="99999"' }),
  ];
  for (const way of ways) {
    const answer = await ask(way);
    t.equal(answer.status, 200);
    t.equal(answer.headers.location, `/v1/tasks/${taskId}`);
    t.match(answer.json, {
      state: 'finished',
      outcome: 'success',
      startedAt: '2023-11-14T22:13:20.500Z',
      finishedAt: '2023-11-14T22:13:21.000Z',
      attempts: [{ attempt: 1, worker: 'python-1', startedAt: '2023-11-14T22:13:20.500Z' }],
      stdout: '2\n',
      stdoutEncoding: 'utf-8',
      stderr: '',
      stderrEncoding: 'utf-8',
    });
  }
  const preferred = await ask(submission({ code: '' }, '/v1/tasks', { prefer: 'wait=700' }));
  t.equal(preferred.headers['preference-applied'], `wait=${limits.waitSecondsMax}`);
});

t.test('when the time is up the task is shown as it stands, and goes on', async (t) => {
  const { ask, controller } = await startDaemon(t);
  controller.behaviour = storing;
  const answer = await ask(submission({ code: '' }, '/v1/tasks?wait=1'));
  t.equal(answer.status, 202);
  t.equal(answer.json.state, 'pending');
  const watch = await controller.next('watch');
  t.equal((await controller.next('forget')).requestId, watch.requestId);
  t.same(
    controller.received.filter(({ kind }) => kind === 'cancelTask'),
    [],
  );
});

t.test(
  'a wait that can not be is refused; a preference that can not be is left aside',
  async (t) => {
    const { ask, controller } = await startDaemon(t);
    controller.behaviour = storing;
    for (const wait of ['601', '-1', '1.5', 'x', '', '9999999999999']) {
      const answer = await ask(submission({ code: '' }, `/v1/tasks?wait=${wait}`));
      t.equal(assertProblem(t, answer, 400, 'INVALID_FIELD').field, 'wait');
    }
    for (const prefer of ['wait', 'wait=x', 'wait=-1', 'await=5', 'wait=0']) {
      const answer = await ask(submission({ code: '' }, '/v1/tasks', { prefer }));
      t.equal(answer.status, 201, prefer);
    }
    const unknown = await ask(submission({ code: '' }, '/v1/tasks?wai=5'));
    t.match(assertProblem(t, unknown, 400, 'UNKNOWN_PARAMETER').detail, /did you mean `wait`\?/);
  },
);

t.test('a client that goes away while it waits leaves its task alone', async (t) => {
  const { address, controller } = await startDaemon(t);
  controller.behaviour = storing;
  const request = begin(
    address,
    submission({ code: '' }, '/v1/tasks?wait=600'),
    () => t.fail('no answer can come'),
    () => undefined,
  );
  const watch = await controller.next('watch');
  request.destroy();
  t.equal((await controller.next('forget')).requestId, watch.requestId, 'only the watch ends');
});

t.test('a task is shown by its id', async (t) => {
  const { ask, controller } = await startDaemon(t);
  controller.behaviour = answerWith(finished({ stdout: Buffer.from([0xff]) }));
  const answer = await ask({ path: `/v1/tasks/${taskId}` });
  t.equal(answer.status, 200);
  t.match(answer.headers['content-type'], /^application\/json/);
  t.match(answer.json, { id: taskId, stdout: '/w==', stdoutEncoding: 'base64' });
  t.equal((await controller.next('get')).taskId, taskId);
  controller.behaviour = answerWith(pending());
  const early = (await ask({ path: `/v1/tasks/${taskId}` })).json;
  for (const name of ['outcome', 'startedAt', 'finishedAt', 'stdout', 'stdoutEncoding']) {
    t.notOk(name in early, `${name} is absent before it is known`);
  }
  controller.behaviour = refuseWith('UNKNOWN_TASK', 'there is no such task');
  assertProblem(t, await ask({ path: `/v1/tasks/${taskId}` }), 404, 'UNKNOWN_TASK');
});

t.test('a malformed id is refused before the controller is asked', async (t) => {
  const { ask, controller } = await startDaemon(t);
  for (const id of ['1', taskId.toUpperCase(), `${taskId}0`, '%00', '..%2f..', '%C3%A9']) {
    for (const path of [`/v1/tasks/${id}`, `/v1/tasks/${id}/stdout`]) {
      assertProblem(t, await ask({ path }), 400, 'INVALID_TASK_ID');
    }
    const cancel = { method: 'POST', path: `/v1/tasks/${id}/cancel` };
    assertProblem(t, await ask(cancel), 400, 'INVALID_TASK_ID');
  }
  t.same(controller.received, []);
});

t.test('outputs are served raw once the task is finished', async (t) => {
  const { ask, controller } = await startDaemon(t);
  const stdout = Buffer.from('é\n');
  const stderr = Buffer.from([0, 0xff]);
  controller.behaviour = answerWith(finished({ stdout, stderr }));
  const out = await ask({ path: `/v1/tasks/${taskId}/stdout` });
  t.same(out.body, stdout);
  t.equal(out.headers['content-type'], 'text/plain; charset=utf-8');
  t.equal(out.headers['x-task-outcome'], 'success');
  const err = await ask({ path: `/v1/tasks/${taskId}/stderr` });
  t.same(err.body, stderr);
  t.equal(err.headers['content-type'], 'application/octet-stream');
  t.equal(err.headers['x-content-type-options'], 'nosniff');
  const head = await ask({ method: 'HEAD', path: `/v1/tasks/${taskId}/stdout` });
  t.equal(head.status, 200);
  t.equal(head.body.length, 0);
  controller.behaviour = answerWith(pending());
  const early = await ask({ path: `/v1/tasks/${taskId}/stdout` });
  assertProblem(t, early, 409, 'NOT_FINISHED');
});

t.test('a task is cancelled, with any body or none', async (t) => {
  const { ask, controller } = await startDaemon(t);
  controller.behaviour = answerWith(pending());
  const path = `/v1/tasks/${taskId}/cancel`;
  const ways = [
    { method: 'POST', path },
    { method: 'POST', path, headers: json, body: '' },
    { method: 'POST', path, headers: json, body: '{}' },
    { method: 'POST', path, headers: { 'content-type': 'text/plain' }, body: 'x' },
  ];
  for (const way of ways) {
    const answer = await ask(way);
    t.equal(answer.status, 200);
    t.equal(answer.json.id, taskId);
    t.equal((await controller.next('cancelTask')).taskId, taskId);
  }
});

t.test('cancelling again succeeds; cancelling what ended otherwise is a conflict', async (t) => {
  const { ask, controller } = await startDaemon(t);
  const cancel = { method: 'POST', path: `/v1/tasks/${taskId}/cancel` };
  const refusing = (outcome: 'cancelled' | 'success'): Behaviour => {
    const refuse = refuseWith('ALREADY_FINISHED', 'it is finished');
    const show = answerWith(finished({ outcome }));
    return (message, connection) =>
      (message.kind === 'cancelTask' ? refuse : show)(message, connection);
  };
  for (const behaviour of [answerWith(finished({ outcome: 'cancelled' })), refusing('cancelled')]) {
    controller.behaviour = behaviour;
    const answer = await ask(cancel);
    t.equal(answer.status, 200);
    t.equal(answer.json.outcome, 'cancelled');
  }
  for (const behaviour of [answerWith(finished()), refusing('success')]) {
    controller.behaviour = behaviour;
    const problem = assertProblem(t, await ask(cancel), 409, 'ALREADY_FINISHED');
    t.equal(problem.outcome, 'success');
  }
});

t.test('a submission whose client is silent about waiting does not watch', async (t) => {
  const { ask, controller } = await startDaemon(t);
  controller.behaviour = storing;
  await ask(submission({ code: '' }));
  await ask(submission({ code: '' }, '/v1/tasks?wait=0'));
  t.same(
    controller.received.map(({ kind }) => kind),
    ['submit', 'submit'],
  );
  controller.behaviour = silent;
});

t.test('a task that the controller lost while its submitter waits is no 404', async (t) => {
  const { ask, controller } = await startDaemon(t);
  controller.behaviour = (message, connection) => {
    if (message.kind === 'submit') answerWith(pending())(message, connection);
    else refuseWith('UNKNOWN_TASK', 'there is no such task')(message, connection);
  };
  const answer = await ask(submission({ code: '' }, '/v1/tasks?wait=5'));
  t.equal(assertProblem(t, answer, 503, 'CONTROLLER_LOST').taskId, taskId);
  assertProblem(t, await ask({ path: `/v1/tasks/${taskId}` }), 404, 'UNKNOWN_TASK');
});

t.test('a body of brackets or of endless members is refused without being parsed', async (t) => {
  const { ask, controller } = await startDaemon(t);
  const members = `{${'"a":1,'.repeat(1_000_000)}"code":""}`;
  for (const text of ['['.repeat(5_000_000), members]) {
    assertProblem(t, await ask(submission(text)), 400, 'INVALID_JSON');
  }
  t.same(controller.received, []);
  const code = '[{"\\",'.repeat(10_000);
  t.equal((await ask(submission({ code }))).status, 201, 'in a string they are only text');
});

t.test('clients that do not read their answers give way to those that do', async (t) => {
  const { address, ask, controller } = await startDaemon(t);
  // JSON writes six characters for each of these bytes.
  const stdout = Buffer.alloc(limits.outputBytesMax);
  controller.behaviour = answerWith(finished({ stdout }));
  const { hostname, port } = new URL(address);
  const get = `GET /v1/tasks/${taskId} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
  const count = Math.ceil((1.1 * httpLimits.unsentBytesMax) / (6 * stdout.length));
  const deaf = Array.from({ length: count }, () => {
    const socket = net.connect(Number(port), hostname).pause();
    socket.write(get);
    return socket;
  });
  for (let asked = 0; asked < count; asked++) await controller.next('get');
  // Answers come in the order of the questions: all of theirs are there before this one.
  t.equal((await ask({ path: `/v1/tasks/${taskId}/stdout` })).status, 200);
  const lengths = await Promise.all(deaf.map(lengthRead));
  t.ok(
    lengths.some((length) => length < 6 * stdout.length),
    'one was closed',
  );
  t.ok(
    lengths.some((length) => length > 6 * stdout.length),
    'and not all',
  );
});

/** Bytes until the server closes. */
function lengthRead(socket: net.Socket): Promise<number> {
  return new Promise((resolve) => {
    let length = 0;
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      length += chunk.length;
    });
    socket.on('close', () => resolve(length));
    socket.resume();
  });
}

t.test(
  'GET of a task with wait holds its answer until it is finished, or the time is up',
  async (t) => {
    const { ask, controller } = await startDaemon(t);
    controller.behaviour = storing;
    const path = `/v1/tasks/${taskId}`;
    const asked = ask({ path: `${path}?wait=600` });
    const { requestId } = await controller.next('watch');
    controller.say({ kind: 'task', requestId, task: finished() });
    t.match((await asked).json, { state: 'finished' });
    const early = await ask({ path, headers: { prefer: 'wait=1' } });
    t.equal(early.headers['preference-applied'], 'wait=1');
    t.match(early.json, { state: 'pending' });

    assertProblem(t, await ask({ path: `${path}?wait=601` }), 400, 'INVALID_FIELD');
    controller.behaviour = refuseWith('UNKNOWN_TASK', 'there is no such task');
    assertProblem(t, await ask({ path: `${path}?wait=5` }), 404, 'UNKNOWN_TASK');
    controller.behaviour = answerWith(finished());
    t.match((await ask({ path: `${path}?wait=600` })).json, { state: 'finished' });
    t.equal(
      controller.received.filter(({ kind }) => kind === 'watch').length,
      1,
      'one, of the preference',
    );
  },
);
