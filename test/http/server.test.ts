import http from 'node:http';
import net from 'node:net';
import t from 'tap';
import { startHttp } from '../../src/http/server.js';
import { ask, assertProblem, exchange, httpOptions, startDaemon } from './daemon.js';
import { answerWith, finished, report, silent, taskId } from './fake-controller.js';
import { worker } from './overview-samples.js';

t.test('health says that the process lives, with a controller or without', async (t) => {
  const daemon = await startDaemon(t, {}, false);
  for (const address of [daemon.address, daemon.debugAddress]) {
    const answer = await ask(address, { path: '/healthz' });
    t.equal(answer.status, 200);
    t.equal((await ask(address, { path: '/healthz', method: 'HEAD' })).status, 200);
  }
});

t.test('ready is what the controller says', async (t) => {
  const { ask, controller } = await startDaemon(t);
  await ask({ path: `/v1/tasks/${taskId}` });
  t.equal((await ask({ path: '/readyz' })).status, 200);
  const says = (changes: Parameters<typeof report>[1]) => {
    controller.behaviour = (message, connection) => {
      if (message.kind === 'status') connection.send(report(message.requestId, changes));
    };
  };
  const missing = ['no python worker is connected', 'the store is read-only'];
  says({ ready: false, missing });
  const answer = await ask({ path: '/readyz' });
  const problem = assertProblem(t, answer, 503, 'NOT_READY');
  t.same(problem.missing, missing);
  t.match(problem.detail, 'no python worker');
  t.equal(answer.headers['retry-after'], '1');
  says({ ready: false, draining: true });
  t.match(assertProblem(t, await ask({ path: '/readyz' }), 503, 'NOT_READY').missing, [/draining/]);
});

t.test('without a controller it is not ready, and says so at once', async (t) => {
  const { ask } = await startDaemon(t, { controllerWaitMs: 3_600_000 }, false);
  const problem = assertProblem(t, await ask({ path: '/readyz' }), 503, 'NOT_READY');
  t.match(problem.missing, [/controller/]);
});

t.test('the bare address says how to run a script', async (t) => {
  const { ask } = await startDaemon(t);
  const answer = await ask({ path: '/', headers: { host: 'localhost:7' } });
  t.equal(answer.status, 200);
  t.match(answer.headers['content-type'], /^text\/plain/);
  t.match(answer.text, /curl .*http:\/\/localhost:7\/execute/);
});

t.test('every error is problem+json with a code of its own', async (t) => {
  const { ask, address } = await startDaemon(t);
  assertProblem(t, await ask({ path: '/nowhere' }), 404, 'NOT_FOUND');
  assertProblem(t, await ask({ path: `/${'x'.repeat(10_000)}` }), 404, 'NOT_FOUND');
  assertProblem(t, await ask({ path: '/v1/tasks/%zz' }), 400, 'INVALID_URL');
  const put = await ask({ method: 'PUT', path: '/v1/tasks', body: 'x' });
  assertProblem(t, put, 405, 'METHOD_NOT_ALLOWED');
  t.equal(put.headers.allow, 'GET, HEAD, POST');
  assertProblem(t, await ask({ method: 'POST', path: '/healthz' }), 405, 'METHOD_NOT_ALLOWED');
  const broken = await exchange(address, 'this is no HTTP\r\n\r\n');
  t.match(broken, /^HTTP\/1\.1 400 .*application\/problem\+json.*"code":"BAD_REQUEST"/s);
  const smuggled = await exchange(
    address,
    'POST /execute HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n' +
      'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  );
  t.match(smuggled, /^HTTP\/1\.1 400 .*"code":"BAD_REQUEST"/s);
});

t.test('a broken request on a connection harms no other', async (t) => {
  const { ask, address } = await startDaemon(t);
  const heads = [
    '\0\0\0\0',
    'GET / HTTP/9.9\r\n\r\n',
    'GET /\r\n\r\n',
    '\x16\x03\x01\x02\x00\x01\r\n',
  ];
  for (const head of heads) t.match(await exchange(address, head), /^HTTP\/1\.1 400 /);
  t.equal((await ask({ path: '/execute?code=still' })).text, 'still');
});

t.test('the debug port shows the state and the loop', async (t) => {
  const daemon = await startDaemon(t);
  daemon.controller.behaviour = (message, connection) => {
    if (message.kind === 'queues') {
      const { requestId } = message;
      connection.send({ kind: 'queueReports', requestId, queues: [] });
    }
    if (message.kind !== 'status') return;
    connection.send(report(message.requestId, { pending: 3, workers: [worker()] }));
  };
  const state = await ask(daemon.debugAddress, { path: '/debug/state' });
  t.match(state.json, { ready: true, pending: 3, workers: [{ id: 'python-1', busy: 1 }] });
  t.notOk('requestId' in state.json);
  daemon.controller.behaviour = answerWith(finished());
  const loop = await ask(daemon.debugAddress, { path: '/debug/loop' });
  t.match(loop.json, {
    parts: [
      {
        part: 'http',
        pid: process.pid,
        openFiles: Number,
        memoryBytes: { rss: Number },
        eventLoop: { activeSeconds: Number, delayMs: { p99: Number } },
        poller: { wakeUps: Number, openHandles: Number },
      },
    ],
  });
  assertProblem(t, await ask(daemon.debugAddress, { path: '/execute?code=1' }), 404, 'NOT_FOUND');
  assertProblem(t, await daemon.ask({ path: '/debug/state' }), 404, 'NOT_FOUND');
});

t.test('closing answers what is in flight, and takes no more', async (t) => {
  const daemon = await startDaemon(t);
  const { controller, address } = daemon;
  controller.behaviour = silent;
  const agent = new http.Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  const { hostname, port } = new URL(address);
  const answered = new Promise<http.IncomingMessage>((resolve, reject) => {
    http.get({ hostname, port, path: '/execute?code=1', agent }, resolve).on('error', reject);
  });
  const { requestId } = await controller.next('submit');
  const closed = daemon.close();
  t.equal(daemon.close(), closed, 'closing twice is closing once');
  const late = await daemon.ask({ path: '/healthz' }).then(
    ({ status }) => String(status),
    (error: NodeJS.ErrnoException) => error.code ?? '',
  );
  t.match(late, /^(503|ECONNREFUSED|ECONNRESET)$/);
  controller.say({ kind: 'task', requestId, task: finished() });
  const response = await answered;
  t.equal(response.statusCode, 200);
  t.equal(response.headers.connection, 'close', 'the connection is not kept for more');
  response.resume();
  await closed;
});

t.test('a further request on a connection that is kept is refused while closing', async (t) => {
  const daemon = await startDaemon(t);
  const { controller, address } = daemon;
  controller.behaviour = silent;
  const { hostname, port } = new URL(address);
  const socket = net.connect(Number(port), hostname);
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  const ended = new Promise((done) => socket.on('close', done));
  socket.write('GET /execute?code=1 HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const { requestId } = await controller.next('submit');
  const closed = daemon.close();
  socket.write('GET /execute?code=2 HTTP/1.1\r\nHost: localhost\r\n\r\n');
  controller.say({ kind: 'task', requestId, task: finished() });
  await Promise.all([ended, closed]);
  t.match(text, /^HTTP\/1\.1 200 /);
  t.same(
    controller.received.map(({ kind }) => kind),
    [],
    'the second ran nothing',
  );
});

t.test(
  'what is not finished when the drain is over is told so, and its task cancelled',
  async (t) => {
    const daemon = await startDaemon(t, { drainMs: 20 });
    const { controller } = daemon;
    controller.behaviour = silent;
    const answer = daemon.ask({ path: '/execute?code=1' });
    const { requestId } = await controller.next('submit');
    const closed = daemon.close();
    assertProblem(t, await answer, 503, 'DRAINING');
    t.equal((await controller.next('forget')).requestId, requestId);
    await closed;
  },
);

t.test('a connection that never finishes its request does not hold up the closing', async (t) => {
  const daemon = await startDaemon(t, { drainMs: 20 });
  const { hostname, port } = new URL(daemon.address);
  const socket = net.connect(Number(port), hostname);
  socket.on('error', () => undefined);
  const ended = new Promise((done) => socket.on('close', done));
  socket.write('GET /execute?code=1 HTTP/1.1\r\nHost:');
  await new Promise<void>((done) => socket.on('connect', done));
  await daemon.close();
  await ended;
  t.pass('both ended');
});

t.test('a port that is taken fails the start, and leaves nothing behind', async (t) => {
  const daemon = await startDaemon(t);
  const port = Number(new URL(daemon.address).port);
  const taken = { ...httpOptions(daemon.controller.address), debugPort: port };
  await t.rejects(startHttp(taken), { code: 'EADDRINUSE', message: new RegExp(String(port)) });
  t.equal((await daemon.ask({ path: '/execute?code=1' })).status, 200);
});

t.test('an address of the controller that is none fails the start', async (t) => {
  await t.rejects(startHttp(httpOptions('controller.sock')), { code: 'BAD_ADDRESS' });
});

t.test('localhost listens on loopback', async (t) => {
  const { address, controller } = await startDaemon(t, { host: 'localhost' });
  t.match(address, /^http:\/\/127\.0\.0\.1:\d+$/);
  controller.behaviour = answerWith(finished());
  t.equal((await ask(address, { path: '/execute?code=1' })).status, 200);
});
