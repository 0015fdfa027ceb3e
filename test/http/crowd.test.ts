import { readFileSync } from 'node:fs';
import net from 'node:net';
import t, { type Test } from 'tap';
import { httpLimits } from '../../src/http/limits.js';
import { begin, startDaemon } from './daemon.js';
import { type Behaviour, finished, pending, silent } from './fake-controller.js';

const openFiles = Number(
  /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1],
);
/** Both ends of each connection are in this process. */
const room = Math.floor((openFiles - 500) / 2);

/** Connections on which this was written; at once, but for what the backlog holds. */
async function crowd(t: Test, address: string, size: number, bytes: string): Promise<net.Socket[]> {
  const { hostname, port } = new URL(address);
  const sockets: net.Socket[] = [];
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
  });
  while (sockets.length < size) {
    const some = Array.from({ length: Math.min(200, size - sockets.length) }, () => {
      const socket = net.connect(Number(port), hostname);
      socket.on('error', () => undefined);
      return new Promise<net.Socket>((resolve) => {
        socket.on('connect', () => {
          if (bytes) socket.write(bytes);
          resolve(socket);
        });
      });
    });
    sockets.push(...(await Promise.all(some)));
  }
  return sockets;
}

t.test(
  'ten thousand idle connections and hundreds of slow ones leave the service to others',
  async (t) => {
    const { address, ask } = await startDaemon(t);
    const slow = Math.min(300, Math.floor(room / 10));
    const idle = Math.min(10_000, room - 2 * slow);
    t.comment(`${idle} idle connections, ${slow} with half a head, ${slow} with half a body`);
    const connections = [
      ...(await crowd(t, address, idle, '')),
      ...(await crowd(t, address, slow, 'GET /execute?code=1 HTTP/1.1\r\nHost: localh')),
      ...(await crowd(
        t,
        address,
        slow,
        'POST /execute HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nprint(',
      )),
    ];
    for (let count = 0; count < 20; count++) {
      t.equal((await ask({ path: `/execute?code=${count}` })).text, String(count));
    }
    const closed = connections.filter((socket) => socket.destroyed || socket.readableEnded).length;
    t.ok(closed < connections.length, 'it did not just close them all');
  },
);

/** Stores tasks, and answers a watch only when told to. */
const storing: Behaviour = (message, connection) => {
  if (message.kind !== 'submit') return;
  connection.send({ kind: 'task', requestId: message.requestId, task: pending() });
};

t.test('many that wait do not keep out who does not, and leave nothing when they go', async (t) => {
  const before = httpLimits.heldRequestsMax;
  const most = 300;
  Object.assign(httpLimits, { heldRequestsMax: most });
  t.teardown(() => Object.assign(httpLimits, { heldRequestsMax: before }));
  const { address, ask, controller } = await startDaemon(t);
  controller.behaviour = storing;
  const submission = {
    method: 'POST',
    path: '/v1/tasks?wait=600',
    headers: { 'content-type': 'application/json' },
    body: '{"code":"1"}',
  };
  const answers: number[] = [];
  const requests = Array.from({ length: most }, () =>
    begin(
      address,
      submission,
      ({ status }) => answers.push(status),
      () => undefined,
    ),
  );
  const watched = new Set<number>();
  while (watched.size < most) watched.add((await controller.next('watch')).requestId);
  t.equal((await ask(submission)).status, 429, 'one more can not wait');
  t.equal((await ask({ path: '/healthz' })).status, 200);
  t.equal((await ask({ ...submission, path: '/v1/tasks' })).status, 201, 'but can submit');
  controller.behaviour = silent;
  for (const request of requests) request.destroy();
  while (watched.size > 0) {
    const { requestId } = await controller.next('forget');
    t.ok(watched.delete(requestId), 'each is taken back once');
  }
  t.same(answers, []);
  controller.behaviour = (message, connection) => {
    storing(message, connection);
    if (message.kind !== 'watch') return;
    connection.send({ kind: 'task', requestId: message.requestId, task: finished() });
  };
  t.equal((await ask(submission)).status, 200, 'and others can wait again');
});
