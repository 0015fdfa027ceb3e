import { once } from 'node:events';
import t from 'tap';
import { httpLimits } from '../../src/http/limits.js';
import { Tokens } from '../../src/http/tokens.js';
import { limits } from '../../src/limits.js';
import { assertProblem, startDaemon } from './daemon.js';
import { type Behaviour, finished, pending, refuseWith, silent } from './fake-controller.js';
import { BatchCall } from './lines.js';
import { RawClient } from './raw.js';
import { bearer, sampleToken } from './token-samples.js';

const ndjson = { 'content-type': 'application/x-ndjson' };
const batch = (body: string | Buffer, headers: Record<string, string> = ndjson, query = '') => ({
  method: 'POST',
  path: `/v1/tasks/batch${query}`,
  headers,
  body,
});
const idOf = (code: string) => `01890a5d-ac96-774b-bcce-${code.padStart(12, '0')}`;

/** Stores each task under an id made of its code. */
const storing: Behaviour = (message, connection) => {
  if (message.kind === 'submit') {
    const task = pending({ id: idOf(message.task.code) });
    connection.send({ kind: 'task', requestId: message.requestId, task });
  } else if (message.kind === 'get') {
    const task = pending({ id: message.taskId });
    connection.send({ kind: 'task', requestId: message.requestId, task });
  }
};

t.test('each line is answered with its number, in order, good or bad', async (t) => {
  const { ask, controller } = await startDaemon(t);
  controller.behaviour = storing;
  const lines = [
    '{"code":"1","type":"python"}\r',
    '',
    '{"code":"2","idempotencyKey":"k"}',
    '{"code":',
    '{"code":"3","tgs":[]}',
    '[]',
    '{"code":"4","code":"5"}',
    '{"code":"6","priority":1e400}',
    '{"code":"7","idempotencyKey":""}',
    '{"code":"8","idempotencyKey":5}',
    '   ',
    '{}',
    '{"code":"9"}',
  ];
  const answer = await ask(batch(lines.join('\n')));
  t.equal(answer.status, 200);
  t.equal(answer.headers['content-type'], 'application/x-ndjson');
  t.equal(answer.headers['cache-control'], 'no-store');
  const answers = answer.text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.match(answers, [
    { line: 1, status: 201, task: { id: idOf('1'), state: 'pending', createdAt: /Z$/ } },
    { line: 3, status: 201, task: { id: idOf('2') } },
    { line: 4, status: 400, error: { code: 'INVALID_JSON', status: 400, detail: /the line/ } },
    { line: 5, status: 400, error: { code: 'INVALID_FIELD', field: 'tgs' } },
    { line: 6, status: 400, error: { code: 'INVALID_FIELD' } },
    { line: 7, status: 400, error: { code: 'INVALID_JSON', field: 'code' } },
    { line: 8, status: 400, error: { code: 'INVALID_FIELD', field: 'priority' } },
    { line: 9, status: 400, error: { code: 'INVALID_FIELD', field: 'idempotencyKey' } },
    { line: 10, status: 400, error: { code: 'INVALID_FIELD', field: 'idempotencyKey' } },
    { line: 12, status: 400, error: { code: 'MISSING_CODE' } },
    { line: 13, status: 201, task: { id: idOf('9') } },
  ]);
  t.equal(answers.length, 11);
  t.same((await controller.next('submit')).task, { code: '1', type: 'python' });
  t.same((await controller.next('submit')).task, { code: '2', idempotencyKey: 'k' });
  t.same((await controller.next('submit')).task, { code: '9' });
  t.same(controller.received, []);
});

t.test('a batch of checks takes little of the share of its token', async (t) => {
  const { token, record } = sampleToken();
  const { ask, controller } = await startDaemon(t, { tokens: new Tokens([record]) });
  controller.behaviour = storing;
  const count = 2 * httpLimits.checksPerTokenMax;
  const lines = Array.from({ length: count }, (_, index) => {
    return JSON.stringify({ code: `${index}`, check: { pattern: index % 2 ? 'x' : '(' } });
  });
  const answer = await ask(batch(lines.join('\n'), { ...ndjson, ...bearer(token) }));
  const statuses = answer.text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).status);
  t.same(
    statuses,
    lines.map((_, index) => (index % 2 ? 201 : 400)),
  );
});

t.test('an empty batch has an empty answer', async (t) => {
  const { ask } = await startDaemon(t);
  for (const body of ['', '\n\r\n  \n']) {
    const answer = await ask(batch(body));
    t.equal(answer.status, 200);
    t.equal(answer.text, '');
  }
});

t.test('a line that is too long or no UTF-8 is refused, and the next is taken', async (t) => {
  const daemon = await startDaemon(t);
  daemon.controller.behaviour = storing;
  const call = new BatchCall(t, daemon.address);
  const piece = Buffer.alloc(1024 * 1024, 'x');
  for (let bytes = 0; bytes <= limits.bodyBytesMax; bytes += piece.length) call.write(piece);
  call.write('\n', Buffer.from('{"code":"\xff"}\n', 'latin1'), '\ufeff{"code":"1"}\n');
  call.write({ code: '2' });
  t.match(await call.rest(), [
    { line: 1, status: 413, error: { code: 'BODY_TOO_LARGE', detail: /the line/ } },
    { line: 2, status: 400, error: { code: 'INVALID_UTF8' } },
    { line: 3, status: 400, error: { code: 'INVALID_JSON', detail: /byte order mark/ } },
    { line: 4, status: 201, task: { id: idOf('2') } },
  ]);
});

t.test('a line is answered before the next is sent', async (t) => {
  const daemon = await startDaemon(t);
  daemon.controller.behaviour = storing;
  const call = new BatchCall(t, daemon.address);
  call.request.flushHeaders();
  for (let number = 1; number <= 3; number++) {
    call.write({ code: String(number) });
    t.match(await call.next(), { line: number, status: 201, task: { id: idOf(String(number)) } });
  }
  t.same(await call.rest(), []);
});

t.test(
  'lines that come together are submitted together, and answered in their order',
  async (t) => {
    const daemon = await startDaemon(t);
    daemon.controller.behaviour = silent;
    const call = new BatchCall(t, daemon.address);
    call.write('{"code":"1"}\n{"code":"2"}\n{"code":"3"}\n');
    const submits = [];
    for (let count = 0; count < 3; count++) submits.push(await daemon.controller.next('submit'));
    // None is answered, and yet all three have come.
    for (const { requestId, task } of submits.reverse()) {
      daemon.controller.say({ kind: 'task', requestId, task: pending({ id: idOf(task.code) }) });
    }
    const lines = await call.rest();
    t.same(
      lines.map(({ line }) => line),
      [1, 2, 3],
    );
  },
);

t.test(
  'what the controller refuses is refused line by line, and says when to come again',
  async (t) => {
    const { ask, controller } = await startDaemon(t);
    const kinds: [string, number][] = [
      ['OVERLOADED', 429],
      ['GROUP_OVERLOADED', 429],
      ['STORE_FULL', 507],
      ['STORE_FAILED', 503],
      ['NO_ROUTE', 422],
    ];
    for (const [code, status] of kinds) {
      controller.behaviour = refuseWith(code, 'not now');
      const answer = await ask(batch('{"code":"1"}\n{"code":"2"}\n'));
      const lines = answer.text.trimEnd().split('\n');
      t.equal(lines.length, 2);
      for (const [index, line] of lines.entries()) {
        t.match(JSON.parse(line), { line: index + 1, status, error: { code, status } });
      }
    }
    controller.behaviour = (message, connection) => {
      if (message.kind !== 'submit') return;
      const { requestId } = message;
      const refused = { kind: 'refused', requestId, code: 'OVERLOADED', message: 'full' } as const;
      connection.send({ ...refused, retryAfterMs: 7_000 });
    };
    const answer = await ask(batch('{"code":"1"}'));
    t.equal((answer.json.error as { retryAfterSeconds: number }).retryAfterSeconds, 7);
  },
);

t.test('a task that was there before is shown with 200, as a replay', async (t) => {
  const { ask, controller } = await startDaemon(t);
  controller.behaviour = (message, connection) => {
    if (message.kind !== 'submit') return;
    const { requestId } = message;
    connection.send({ kind: 'task', requestId, task: pending(), replayed: true });
  };
  const answer = await ask(batch('{"code":"1","idempotencyKey":"k"}'));
  t.match(answer.json, { line: 1, status: 200, replayed: true, task: { state: 'pending' } });
});

t.test(
  'with wait each line is answered again when its task is finished, as they finish',
  async (t) => {
    const daemon = await startDaemon(t);
    const { controller } = daemon;
    controller.behaviour = storing;
    const call = new BatchCall(t, daemon.address, '/v1/tasks/batch?wait=600');
    call.write({ code: '1' }, { code: '2' }, { bad: 1 }, { code: '3' });
    call.request.end();
    const first = [await call.next(), await call.next(), await call.next(), await call.next()];
    t.match(first, [{ status: 201 }, { status: 201 }, { line: 3, status: 400 }, { status: 201 }]);
    const watches = new Map<string, number>();
    for (let count = 0; count < 3; count++) {
      const { taskId, requestId } = await controller.next('watch');
      watches.set(taskId, requestId);
    }
    for (const [code, line] of [
      ['3', 4],
      ['1', 1],
    ] as const) {
      const requestId = watches.get(idOf(code)) ?? 0;
      controller.say({ kind: 'task', requestId, task: finished({ id: idOf(code) }) });
      t.match(await call.next(), {
        line,
        status: 200,
        task: { id: idOf(code), state: 'finished', outcome: 'success', stdout: '2\n' },
      });
    }
    const lost = {
      kind: 'refused',
      code: 'UNKNOWN_TASK',
      message: 'there is no such task',
    } as const;
    controller.say({ ...lost, requestId: watches.get(idOf('2')) ?? 0 });
    t.match(await call.next(), { line: 2, status: 503, error: { code: 'CONTROLLER_LOST' } });
    t.equal(await call.next(), undefined, 'and then it ends');
  },
);

t.test('when the time is up the rest are shown as they stand, and go on', async (t) => {
  const daemon = await startDaemon(t);
  daemon.controller.behaviour = storing;
  const call = new BatchCall(t, daemon.address, '/v1/tasks/batch', { prefer: 'wait=1' });
  call.write({ code: '1' }, { code: '2' });
  const lines = await call.rest();
  t.equal(call.headers['preference-applied'], 'wait=1');
  t.match(
    lines
      .filter(({ status }) => status === 202)
      .map(({ line }) => line)
      .sort(),
    [1, 2],
  );
  t.equal(lines.length, 4);
  t.same(
    daemon.controller.received.filter(({ kind }) => kind === 'cancelTask'),
    [],
  );
});

t.test('what is no batch is refused as a whole', async (t) => {
  const { ask, controller } = await startDaemon(t);
  const line = '{"code":"1"}';
  for (const type of ['application/json', 'text/plain', 'nonsense', 'application/x-ndjsonx']) {
    const answer = await ask(batch(line, { 'content-type': type }));
    const problem = assertProblem(t, answer, 415, 'UNSUPPORTED_CONTENT_TYPE');
    t.match(problem.detail, /application\/x-ndjson/);
  }
  assertProblem(t, await ask(batch(line, {})), 415, 'UNSUPPORTED_CONTENT_TYPE');
  const latin = { 'content-type': 'application/x-ndjson; charset=latin1' };
  assertProblem(t, await ask(batch(line, latin)), 415, 'UNSUPPORTED_CONTENT_TYPE');
  const zipped = { ...ndjson, 'content-encoding': 'gzip' };
  assertProblem(t, await ask(batch(line, zipped)), 415, 'UNSUPPORTED_CONTENT_ENCODING');
  assertProblem(t, await ask(batch(line, ndjson, '?wait=-1')), 400, 'INVALID_FIELD');
  assertProblem(t, await ask(batch(line, ndjson, '?await=1')), 400, 'UNKNOWN_PARAMETER');
  const got = await ask({ path: '/v1/tasks/batch' });
  t.equal(assertProblem(t, got, 405, 'METHOD_NOT_ALLOWED') && got.headers.allow, 'POST');
  t.same(controller.received, [], 'nothing was submitted');
  controller.behaviour = storing;
  for (const type of ['application/x-ndjson; charset=UTF-8', 'Application/NDJSON']) {
    t.equal((await ask(batch(line, { 'content-type': type }))).json.status, 201);
  }
});

t.test('no more lines are on their way than there may be', async (t) => {
  const daemon = await startDaemon(t);
  const { controller } = daemon;
  controller.behaviour = silent;
  const call = new BatchCall(t, daemon.address);
  const lines = httpLimits.batchLinesMax + 10;
  for (let number = 0; number < lines; number++) call.write({ code: String(number) });
  const submits = [];
  for (let count = 0; count < httpLimits.batchLinesMax; count++) {
    submits.push(await controller.next('submit'));
  }
  // Whatever else the daemon asks goes the same way, behind what it has sent.
  const asked = daemon.ask({ path: '/readyz' });
  const { requestId } = await controller.next('status');
  controller.say({ kind: 'refused', requestId, code: 'INTERNAL', message: '' });
  await asked;
  t.notOk(
    controller.received.some(({ kind }) => kind === 'submit'),
    'the rest waits',
  );
  controller.behaviour = storing;
  for (const { requestId, task } of submits) {
    controller.say({ kind: 'task', requestId, task: pending({ id: idOf(task.code) }) });
  }
  t.equal((await call.rest()).length, lines);
});

t.test('a client that does not read its answers is not read from either', async (t) => {
  const daemon = await startDaemon(t);
  const tags = [...Array(30)].map(() => 'x'.repeat(limits.tagBytesMax));
  daemon.controller.behaviour = (message, connection) => {
    if (message.kind !== 'submit') return;
    const { requestId } = message;
    daemon.controller.received.length = 0;
    connection.send({ kind: 'task', requestId, task: pending({ tags }) });
  };
  // Far more, both ways, than any socket buffers.
  const count = 6_000;
  const line = `${JSON.stringify({ code: '', tags })}\n`;
  const call = new BatchCall(t, daemon.address);
  call.request.flushHeaders();
  call.write(line);
  t.match(await call.next(), { line: 1, status: 201 });
  call.response?.pause();
  const { socket } = call.request;
  const sent = (async () => {
    for (let number = 2; number <= count; number++) {
      if (!call.request.write(line)) await once(call.request, 'drain');
    }
  })();
  let bytes = -1;
  while (socket && socket.bytesWritten - socket.writableLength !== bytes) {
    bytes = socket.bytesWritten - socket.writableLength;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  t.ok(
    bytes < (count * line.length * 3) / 4,
    `${bytes} bytes of ${count * line.length} were taken`,
  );
  call.response?.resume();
  await sent;
  const lines = await call.rest();
  t.equal(lines.length, count - 1, 'and once it reads, all is done');
  t.ok(
    lines.every(({ line, status }, index) => line === index + 2 && status === 201),
    'in order',
  );
});

t.test('a client that goes away leaves what it submitted, and holds nothing', async (t) => {
  const daemon = await startDaemon(t);
  const { controller } = daemon;
  controller.behaviour = storing;
  const call = new BatchCall(t, daemon.address, '/v1/tasks/batch?wait=600');
  call.write({ code: '1' }, '{"code":"2"');
  t.match(await call.next(), { line: 1, status: 201 });
  const { requestId } = await controller.next('watch');
  call.request.destroy();
  t.equal((await controller.next('forget')).requestId, requestId);
  t.same(
    controller.received.filter(({ kind }) => kind === 'submit').length,
    1,
    'half a line submits nothing',
  );
});

t.test(
  'a batch that was sent ahead has its answers once those before it are answered',
  async (t) => {
    const { address, controller } = await startDaemon(t);
    controller.behaviour = (message, connection) => {
      if (message.kind === 'submit' && message.reply === 'stored') storing(message, connection);
    };
    const client = await RawClient.open(t, address);
    client.write('GET /execute?code=first HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const { requestId } = await controller.next('submit');
    // Their answers are more than is kept before one has to wait.
    const count = 2 * httpLimits.batchLinesMax;
    const body = Array.from({ length: count }, (_, index) => `{"code":"${index}"}\n`).join('');
    const head = 'POST /v1/tasks/batch HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n';
    const type = 'Content-Type: application/x-ndjson\r\n';
    client.write(`${head}${type}Content-Length: ${body.length}\r\n\r\n${body}`);
    await controller.next('submit');
    controller.say({ kind: 'task', requestId, task: finished() });
    const text = await client.end();
    t.equal(text.match(/"status":201/g)?.length, count);
    t.ok(text.indexOf('x-task-id') < text.indexOf('"line":1,'), 'behind the other answer');
  },
);

t.test('a client that goes away with a batch sent ahead holds nothing', async (t) => {
  const { address, controller, close } = await startDaemon(t, { drainMs: 600_000 });
  // The answers are more than is kept before one has to wait.
  const tags = [...Array(30)].map(() => 'x'.repeat(limits.tagBytesMax));
  controller.behaviour = (message, connection) => {
    if (message.kind !== 'submit' || message.reply !== 'stored') return;
    connection.send({ kind: 'task', requestId: message.requestId, task: pending({ tags }) });
  };
  const client = await RawClient.open(t, address);
  client.write('GET /execute?code=first HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const { requestId } = await controller.next('submit');
  const lines = '{"code":"1"}\n'.repeat(20);
  const head = 'POST /v1/tasks/batch HTTP/1.1\r\nHost: localhost\r\n';
  const type = 'Content-Type: application/x-ndjson\r\n';
  client.write(`${head}${type}Content-Length: ${lines.length}\r\n\r\n${lines}`);
  for (let number = 0; number < 20; number++) await controller.next('submit');
  client.socket.destroy();
  t.equal((await controller.next('forget')).requestId, requestId);
  await close();
});

t.test('only so many batches are under way', async (t) => {
  const daemon = await startDaemon(t);
  daemon.controller.behaviour = storing;
  const calls = Array.from({ length: httpLimits.batchesMax }, () => {
    const call = new BatchCall(t, daemon.address);
    call.write({ code: '1' });
    return call;
  });
  for (const call of calls) t.match(await call.next(), { status: 201 });
  const refused = await daemon.ask(batch('{"code":"1"}'));
  assertProblem(t, refused, 429, 'OVERLOADED');
  t.equal(refused.headers['retry-after'], '1');
  await calls[0]?.rest();
  t.equal((await daemon.ask(batch('{"code":"1"}'))).status, 200, 'there is room again');
});

t.test('a daemon that is stopped says so on the next line, and reads no more', async (t) => {
  const daemon = await startDaemon(t, { drainMs: 20 });
  daemon.controller.behaviour = silent;
  const call = new BatchCall(t, daemon.address);
  call.write({ code: '1' });
  await daemon.controller.next('submit');
  const closed = daemon.close();
  t.match(await call.next(), { line: 1, status: 503, error: { code: 'DRAINING' } });
  await closed;
});
