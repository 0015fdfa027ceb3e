import net from 'node:net';
import t from 'tap';
import { httpLimits } from '../../src/http/limits.js';
import { limits } from '../../src/limits.js';
import type { TaskView } from '../../src/task.js';
import { assertProblem, begin, exchange, startDaemon } from './daemon.js';
import { answerWith, finished, pending, refuseWith, silent, taskId } from './fake-controller.js';
import { quotePlus } from './quote-plus.js';

t.test('the body is the output byte for byte, with the task in headers', async (t) => {
  const { ask, controller } = await startDaemon(t);
  const stdout = Buffer.from([0, 0xff, 0x0a, 0xc3, 0x28]);
  controller.behaviour = answerWith(finished({ stdout }));
  const answer = await ask({ path: '/execute?code=print(1)' });
  t.equal(answer.status, 200);
  t.same(answer.body, stdout);
  t.equal(answer.headers['content-type'], 'text/plain; charset=utf-8');
  t.equal(answer.headers['x-content-type-options'], 'nosniff');
  t.equal(answer.headers['cache-control'], 'no-store');
  t.equal(answer.headers['x-task-id'], taskId);
  t.equal(answer.headers['x-task-outcome'], 'success');
});

t.test('code encoded once and twice runs as the same code, as python', async (t) => {
  const { ask, controller } = await startDaemon(t);
  for (const code of ['print%281%2B1%29', 'print%25281%252B1%2529']) {
    const answer = await ask({ path: `/execute?code=${code}` });
    t.equal(answer.text, 'print(1+1)');
    const { task, reply } = await controller.next('submit');
    t.same(task, { type: 'python', code: 'print(1+1)', network: 'allowed' });
    t.equal(reply, 'finished');
  }
});

t.test('type= names the type', async (t) => {
  const { ask, controller } = await startDaemon(t);
  t.equal((await ask({ path: '/execute?type=node&code=1' })).status, 200);
  t.equal((await controller.next('submit')).task.type, 'node');
  t.equal((await ask({ method: 'POST', path: '/execute?type=bash', body: 'ls' })).status, 200);
  t.equal((await controller.next('submit')).task.type, 'bash');
  const refused = await ask({ path: '/execute?code=1&type=No%20Such' });
  t.equal(assertProblem(t, refused, 400, 'INVALID_FIELD').field, 'type');
});

t.test('a POST takes its body as code, whatever its Content-Type says', async (t) => {
  const { ask } = await startDaemon(t);
  const code = 'print("a+b%41&code=é")';
  const types = [
    'application/x-www-form-urlencoded',
    'application/json',
    'multipart/form-data; boundary=x',
    'no content type at all',
    '',
  ];
  for (const type of types) {
    const headers = { 'content-type': type };
    const answer = await ask({ method: 'POST', path: '/execute', headers, body: code });
    t.equal(answer.status, 200, type);
    t.equal(answer.text, code, type);
  }
  t.equal((await ask({ method: 'POST', path: '/execute', body: code })).text, code, 'without one');
});

t.test('empty code is a script that prints nothing', async (t) => {
  const { ask } = await startDaemon(t);
  for (const path of ['/execute?code=', '/execute?code', '/execute?&code=&']) {
    const answer = await ask({ path });
    t.equal(answer.status, 200, path);
    t.equal(answer.body.length, 0, path);
  }
  const posted = await ask({ method: 'POST', path: '/execute', body: '' });
  t.equal(posted.status, 200);
});

t.test('what is wrong with the query is refused by name, and nothing runs', async (t) => {
  const { ask, controller } = await startDaemon(t);
  const refused = async (path: string, code: string, detail: RegExp, method = 'GET') => {
    const json = assertProblem(t, await ask({ path, method }), 400, code);
    t.match(json.detail, detail, path);
  };
  await refused('/execute', 'MISSING_CODE', /GET \/execute\?code=/);
  await refused('/execute?type=python', 'MISSING_CODE', /POST \/execute/);
  await refused('/execute?code=1&code=2', 'REPEATED_PARAMETER', /`code`/);
  await refused('/execute?code=1&co%64e=2', 'REPEATED_PARAMETER', /`code`/);
  await refused('/execute?cod=1', 'UNKNOWN_PARAMETER', /did you mean `code`\?/);
  await refused('/execute?code=1&wallMs=5', 'UNKNOWN_PARAMETER', /known are code, type/);
  await refused('/execute?code=a&b', 'UNKNOWN_PARAMETER', /%26/);
  await refused('/execute?code=%', 'INVALID_ENCODING', /`code`/);
  await refused('/execute?code=%zz', 'INVALID_ENCODING', /%25/);
  await refused('/execute?code=%ff', 'INVALID_UTF8', /`code`/);
  await refused('/execute?type=%ff&code=1', 'INVALID_UTF8', /`type`/);
  await refused('/execute?%ff=1', 'INVALID_UTF8', /name of a query parameter/);
  await refused('/execute?code=1', 'UNKNOWN_PARAMETER', /`code`/, 'POST');
  await refused(`/execute?${'x'.repeat(1_000_000)}=1`, 'UNKNOWN_PARAMETER', /known are/);
  t.same(controller.received, [], 'the controller heard of none');
});

t.test('a body that is not UTF-8 is refused', async (t) => {
  const { ask } = await startDaemon(t);
  const answer = await ask({ method: 'POST', path: '/execute', body: Buffer.from([0x31, 0xff]) });
  t.equal(assertProblem(t, answer, 400, 'INVALID_UTF8').field, 'code');
});

t.test('a URL of more than a mebibyte is accepted', async (t) => {
  const { ask } = await startDaemon(t);
  const code = `#${'x'.repeat(1024 * 1024)}`;
  const answer = await ask({ path: `/execute?code=${quotePlus(code)}` });
  t.equal(answer.status, 200);
  t.equal(answer.text, code);
});

t.test('60 KB of text beyond ASCII, encoded twice, arrive whole', async (t) => {
  const { ask } = await startDaemon(t);
  const code = `print("${'漢字é😀'.repeat(5_000)}")`;
  t.ok(Buffer.byteLength(code) >= 60_000);
  const answer = await ask({ path: `/execute?code=${quotePlus(quotePlus(code))}` });
  t.equal(answer.status, 200);
  t.equal(answer.text, code);
});

t.test('what is too large is refused with the cure', async (t) => {
  const { ask, address } = await startDaemon(t);
  const long = 'x'.repeat(limits.urlBytesMax);
  const url = assertProblem(t, await ask({ path: `/execute?code=${long}` }), 414, 'URL_TOO_LONG');
  t.match(url.detail, /POST \/execute/);
  // An unfinished head, so that nothing is left unread when the server closes.
  const head = await exchange(address, `GET /execute?code=${'x'.repeat(httpLimits.headBytesMax)}`);
  t.match(head, /^HTTP\/1\.1 431 .*"code":"HEADERS_TOO_LARGE"/s);
  const body = 'x'.repeat(limits.codeBytesMax + 1);
  const posted = await ask({ method: 'POST', path: '/execute', body });
  assertProblem(t, posted, 413, 'BODY_TOO_LARGE');
});

t.test('each outcome but success has its status, and shows what the script left', async (t) => {
  const { ask, controller } = await startDaemon(t);
  const cases: [Partial<TaskView>, number, string][] = [
    [{ outcome: 'runtime_error', code: 'EXIT_NONZERO', exitCode: 3 }, 422, 'EXIT_NONZERO'],
    [{ outcome: 'runtime_error', code: 'SIGNALED', signal: 'SIGSEGV' }, 422, 'SIGNALED'],
    [{ outcome: 'runtime_error', code: 'WALL_LIMIT' }, 504, 'WALL_LIMIT'],
    [{ outcome: 'runtime_error', code: 'CPU_LIMIT' }, 504, 'CPU_LIMIT'],
    [{ outcome: 'format_error' }, 422, 'FORMAT_ERROR'],
    [{ outcome: 'network_fail', code: 'WORKER_LOST' }, 503, 'WORKER_LOST'],
    [{ outcome: 'internal_fail', code: 'INTERNAL' }, 503, 'INTERNAL'],
    [{ outcome: 'cancelled', code: 'CANCELLED' }, 409, 'CANCELLED'],
    [{ outcome: 'expired' }, 504, 'EXPIRED'],
  ];
  for (const [changes, status, code] of cases) {
    const stderr = Buffer.from([0xff]);
    controller.behaviour = answerWith(finished({ reason: 'why it ended', stderr, ...changes }));
    const answer = await ask({ path: '/execute?code=1' });
    const json = assertProblem(t, answer, status, code);
    t.match(json, {
      detail: 'why it ended',
      outcome: changes.outcome,
      taskId,
      stdout: '2\n',
      stdoutEncoding: 'utf-8',
      stderr: '/w==',
      stderrEncoding: 'base64',
    });
    t.equal(json.exitCode, changes.exitCode ?? 0);
    t.equal(json.signal, changes.signal);
    t.equal(answer.headers['x-task-id'], taskId);
    t.equal(answer.headers['x-task-outcome'], changes.outcome);
  }
});

t.test('an exception is in the problem as it was reported', async (t) => {
  const { ask, controller } = await startDaemon(t);
  const exception = {
    type: 'ZeroDivisionError',
    message: 'division by zero',
    frames: [{ file: 'script.py', line: 3, function: 'f', code: 'return 1 / 0' }],
    cause: { type: 'KeyError', message: "'x'" },
  };
  const ending = { outcome: 'runtime_error', code: 'EXCEPTION', exitCode: 1, exception } as const;
  controller.behaviour = answerWith(finished(ending));
  const json = assertProblem(t, await ask({ path: '/execute?code=1' }), 422, 'EXCEPTION');
  t.same(json.exception, exception);
});

t.test('a task that never ran says so without outputs', async (t) => {
  const { ask, controller } = await startDaemon(t);
  const changes = { state: 'finished', outcome: 'expired' } as const;
  controller.behaviour = answerWith(pending(changes));
  const json = assertProblem(t, await ask({ path: '/execute?code=1' }), 504, 'EXPIRED');
  for (const name of ['exitCode', 'signal', 'stdout', 'stderr', 'stdoutEncoding', 'exception']) {
    t.notOk(name in json, name);
  }
});

t.test('an answer before the task is finished is a fault of ours', async (t) => {
  const { ask, controller } = await startDaemon(t);
  controller.behaviour = answerWith(pending());
  assertProblem(t, await ask({ path: '/execute?code=1' }), 500, 'INTERNAL');
});

t.test('a refusal of the controller keeps its code and gets its status', async (t) => {
  const { ask, controller } = await startDaemon(t);
  const cases: [string, number, string][] = [
    ['UNKNOWN_TYPE', 422, 'UNKNOWN_TYPE'],
    ['NO_ROUTE', 422, 'NO_ROUTE'],
    ['LIMIT_TOO_HIGH', 422, 'LIMIT_TOO_HIGH'],
    ['NETWORK_NOT_ALLOWED', 422, 'NETWORK_NOT_ALLOWED'],
    ['DRAINING', 503, 'DRAINING'],
    ['OVERLOADED', 429, 'OVERLOADED'],
    ['NEVER_HEARD_OF', 500, 'INTERNAL'],
    ['constructor', 500, 'INTERNAL'],
  ];
  for (const [refusal, status, code] of cases) {
    controller.behaviour = refuseWith(refusal, 'the controller says no', 'type');
    const answer = await ask({ path: '/execute?code=1' });
    assertProblem(t, answer, status, code);
    if (status === 503 || status === 429) t.match(answer.headers['retry-after'], /^\d+$/);
    if (status === 422) t.match(answer.json, { detail: 'the controller says no', field: 'type' });
  }
});

t.test('a client that goes away takes its task with it', async (t) => {
  const { address, controller } = await startDaemon(t);
  controller.behaviour = silent;
  const request = begin(
    address,
    { path: '/execute?code=1' },
    () => t.fail('no answer can come'),
    () => undefined,
  );
  const submit = await controller.next('submit');
  request.destroy();
  t.equal((await controller.next('forget')).requestId, submit.requestId);
});

t.test('HEAD runs nothing, and no other method does', async (t) => {
  const { ask, controller } = await startDaemon(t);
  for (const method of ['HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND']) {
    const answer = await ask({ method, path: '/execute?code=1' });
    t.equal(answer.status, 405, method);
    t.equal(answer.headers.allow, 'GET, POST');
    if (method !== 'HEAD') assertProblem(t, answer, 405, 'METHOD_NOT_ALLOWED');
  }
  t.same(controller.received, []);
});

t.test('requests sent ahead on one connection are answered in order', async (t) => {
  const { address } = await startDaemon(t);
  const one = 'GET /execute?code=first HTTP/1.1\r\nHost: localhost\r\n\r\n';
  const two = 'GET /execute?code=second HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
  const answers = await exchange(address, one + two);
  t.match(answers, /\r\n\r\nfirstHTTP\/1\.1 200 OK.*\r\n\r\nsecond$/s);
});

t.test('a client that goes away takes with it what it had sent ahead', async (t) => {
  const { address, controller } = await startDaemon(t);
  controller.behaviour = silent;
  const { hostname, port } = new URL(address);
  const socket = net.connect(Number(port), hostname);
  const ahead = 'GET /execute?code=1 HTTP/1.1\r\nHost: localhost\r\n\r\n';
  socket.write(ahead.repeat(20));
  const asked: number[] = [];
  for (let count = 0; count < 20; count++) asked.push((await controller.next('submit')).requestId);
  socket.destroy();
  const taken: number[] = [];
  for (let count = 0; count < 20; count++) taken.push((await controller.next('forget')).requestId);
  t.same(taken.sort(), asked.sort());
});
