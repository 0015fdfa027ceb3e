import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { freePort } from '../../bench/free-port.js';
import { encodeFrame } from '../../src/wire/codec.js';
import { protocolVersion } from '../../src/wire/messages.js';
import { temporaryFolder } from '../store/fixtures.js';
import { begin } from './scriptd.js';
import { Service, until } from './service.js';

const slowCode = (marker: string, seconds = 0.7) => `
import os, time
print(os.getpid(), flush=True)
time.sleep(${seconds})
print("${marker}")
`;

/** True once the task runs on some worker. */
const isRunning = (service: Service, id: unknown) => async () =>
  (await service.request('GET', `/v1/tasks/${id}`)).json.state === 'running';

/** True once a worker has something to run. */
const isBusy = (service: Service) => async () => {
  const { json } = await service.request('GET', '/v1/workers');
  return (json.workers as { busy: number }[]).some(({ busy }) => busy > 0);
};

t.test(
  'a worker that is killed in mid-run: the task is dispatched again and finishes',
  async (t) => {
    const service = await Service.start(t, ['--workers', 'python=2']);
    const { json: task } = await service.submit({ code: slowCode('done', 4), type: 'python' });
    await until('the task runs', isRunning(service, task.id));
    process.kill(service.partPid('worker'), 'SIGKILL');
    await until('the task is finished', async () => {
      const { json } = await service.request('GET', `/v1/tasks/${task.id}`);
      return json.state === 'finished';
    });
    const { json } = await service.request('GET', `/v1/tasks/${task.id}`);
    t.match(json, {
      outcome: 'success',
      stdout: /done/,
      attempt: 2,
      attempts: [
        { attempt: 1, outcome: 'network_fail', code: 'WORKER_LOST' },
        { outcome: 'success' },
      ],
    });
  },
);

t.test('a worker that hangs is given up, killed and replaced', async (t) => {
  const service = await Service.start(t, ['--workers', 'python=1']);
  const pid = service.partPid('worker');
  process.kill(pid, 'SIGSTOP');
  const answer = await service.execute('print("served")');
  t.equal(answer.body.toString(), 'served\n');
  t.not(service.partPid('worker'), pid);
});

t.test('a worker that hangs while the controller is restarted is replaced too', async (t) => {
  const service = await Service.start(t, ['--workers', 'python=1']);
  const pid = service.partPid('worker');
  process.kill(pid, 'SIGSTOP');
  process.kill(service.partPid('controller'), 'SIGKILL');
  await until('it is replaced', () =>
    service.processes().every((one) => one.pid !== pid || !one.command.includes(' worker ')),
  );
  t.equal((await service.execute('print("served")')).body.toString(), 'served\n');
});

t.test('a controller that is killed comes back, and its workers are still there', async (t) => {
  const service = await Service.start(t, ['--workers', 'python=1']);
  const worker = service.partPid('worker');
  const controller = service.partPid('controller');
  const waiting = service.execute(slowCode('lost', 4));
  await until('the script runs', isBusy(service));
  process.kill(controller, 'SIGKILL');
  const answer = await waiting;
  t.equal(answer.status, 503);
  t.match(answer.json, { code: 'CONTROLLER_LOST' });
  t.equal((await service.execute('print("back")')).body.toString(), 'back\n');
  t.not(service.partPid('controller'), controller);
  t.equal(service.partPid('worker'), worker, 'the worker outlived its controller');
});

t.test('after a restart of the controller, SIGTERM still ends every worker', async (t) => {
  const service = await Service.start(t, ['--workers', 'python=1,bash=1']);
  process.kill(service.partPid('controller'), 'SIGKILL');
  await until('the service is back', async () => {
    return (await service.execute('echo back', '?type=bash')).status === 200;
  });
  t.same(await service.stop(), { code: 0, signal: null });
  t.same(service.processes(), []);
});

t.test('SIGTERM while the controller is away ends every worker too', async (t) => {
  const service = await Service.start(t, ['--workers', 'python=1']);
  process.kill(service.partPid('controller'), 'SIGKILL');
  await until('it is to be started again', () => service.log.includes('starting it again'));
  t.same(await service.stop(), { code: 0, signal: null });
  t.same(service.processes(), []);
});

t.test('a worker that is told to end by somebody else costs no task its attempts', async (t) => {
  const service = await Service.start(t, ['--workers', 'python=2']);
  const first = service.execute(slowCode('first'));
  await until('the script runs', isBusy(service));
  process.kill(service.partPid('worker'), 'SIGTERM');
  await until('the worker drains', () => service.log.includes('draining'));
  const { json: second } = await service.submit({ code: 'print(2)', type: 'python' }, '?wait=30');
  t.match(second, { outcome: 'success', attempt: 1 });
  t.match((await first).body.toString(), /first/);
});

t.test('an http daemon that is killed comes back on the same port', async (t) => {
  const service = await Service.start(t, ['--workers', 'python=1']);
  const { json: task } = await service.submit({ code: slowCode('kept'), type: 'python' });
  process.kill(service.partPid('http'), 'SIGKILL');
  await until('it answers again', async () => {
    try {
      return (await service.request('GET', '/readyz')).status === 200;
    } catch (error) {
      // Refused or reset: it is not back yet.
      return !(error instanceof Error);
    }
  });
  await until('the task is finished', async () => {
    const { json } = await service.request('GET', `/v1/tasks/${task.id}`);
    return json.state === 'finished';
  });
  const { json } = await service.request('GET', `/v1/tasks/${task.id}`);
  t.match(json, { outcome: 'success', attempt: 1 });
});

t.test('an http daemon whose port somebody has meanwhile waits for it', async (t) => {
  const port = await freePort();
  const service = await Service.start(t, ['--workers', 'noop=1', '--port', String(port)]);
  const other = createServer();
  other.on('error', () => undefined);
  // Until somebody else has the port, nobody starts it again.
  service.child.kill('SIGSTOP');
  process.kill(service.partPid('http'), 'SIGKILL');
  await until('somebody else has the port', () => {
    if (!other.listening) other.listen(port, '127.0.0.1');
    return other.listening;
  });
  service.child.kill('SIGCONT');
  await until('it is tried in vain', () => /exited with code 69; starting it/.test(service.log));
  other.close();
  await until('it answers again', async () => {
    try {
      return (await service.request('GET', '/readyz')).status === 200;
    } catch (error) {
      // Refused or reset: it is not back yet.
      return !(error instanceof Error);
    }
  });
  t.equal(service.child.exitCode, null);
});

t.test('up goes on when the system refuses the start of a part, and tries again', async (t) => {
  const folder = temporaryFolder(t);
  // Handed on as one argument it is longer than one may be: E2BIG is thrown, as ENOMEM is.
  const names = Array.from({ length: 10_000 }, (_, index) => `host-${index}.example`);
  writeFileSync(join(folder, 'scriptd.yaml'), `allowedHosts: [${names}]\n`);
  const args = ['up', '--port=0', '--debug-port=0', `--data-dir=${folder}`, '--workers=noop=1'];
  const up = begin(args, folder);
  t.teardown(() => up.kill('SIGKILL'));
  let log = '';
  up.stderr.setEncoding('utf8').on('data', (piece: string) => {
    log += piece;
  });
  const refused = 'http could not be started: spawn E2BIG; starting it again';
  await until('it is tried again', () => up.exitCode !== null || count(log, refused) > 1);
  t.equal(up.exitCode, null, log);
  const ended = once(up, 'exit');
  up.kill('SIGTERM');
  t.same(await ended, [0, null]);
});

t.test('up that is killed leaves no process behind', async (t) => {
  const service = await Service.start(t, ['--workers', 'python=1,bash=1']);
  const task = { code: 'sleep 600 & sleep 600', type: 'bash', limits: { wallMs: 600_000 } };
  // It may be killed before it has answered.
  service.submit(task).catch(() => undefined);
  await until('the script runs', () =>
    service.processes().some(({ command }) => /sleep 600/.test(command)),
  );
  service.child.kill('SIGKILL');
  await until('everything is gone', () => service.processes().length === 0);
  t.pass('nothing is left');
});

t.test('SIGTERM lets running scripts finish and answers who waits for them', async (t) => {
  const service = await Service.start(t, ['--workers', 'python=1']);
  const waiting = service.execute(slowCode('drained'));
  await until('the script runs', isBusy(service));
  const [answer, end] = await Promise.all([waiting, service.stop()]);
  t.equal(answer.status, 200);
  t.match(answer.body.toString(), /drained/);
  t.same(end, { code: 0, signal: null });
  t.same(service.processes(), []);
  t.same(readdirSync(join(service.dataDir, 'run', 'workers')), [], 'no socket is left');
});

t.test('garbage on any socket is closed with a logged reason, and harms nobody', async (t) => {
  const service = await Service.start(t, ['--workers', 'python=1']);
  const run = join(service.dataDir, 'run');
  const sockets = [join(run, 'controller.sock'), join(run, 'workers', 'python-1.sock')];
  const garbage: [string, Buffer][] = [
    ['FRAME_TOO_LARGE', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['FRAME_TOO_LARGE', Buffer.from([0xff, 0xff, 0xff, 0xff])],
    ['FRAME_MALFORMED', Buffer.from([0, 0, 0, 2, 0xc1, 0xc1])],
    ['FRAME_MALFORMED', encodeFrame({ kind: 2n ** 63n - 1n } as never)],
    ['MESSAGE_INVALID', encodeFrame({ kind: 7 } as never)],
  ];
  for (const path of sockets) {
    for (const [code, bytes] of garbage) {
      const before = count(service.log, code);
      await new Promise<void>((resolve) => {
        const socket = createConnection(path, () => socket.write(bytes));
        socket.on('error', () => undefined);
        socket.on('close', () => resolve());
        socket.resume();
      });
      await until(`${code} is logged`, () => count(service.log, code) > before);
    }
    const half = createConnection(path, () => half.end(Buffer.from([0, 0, 1, 0, 0x81])));
    await new Promise<void>((resolve) => half.resume().on('close', () => resolve()));
  }
  for (const [path, channel] of [
    [sockets[0], 'client'],
    [sockets[1], 'receiver'],
  ] as const) {
    const before = count(service.log, 'BAD_PROOF');
    await new Promise<void>((resolve) => {
      const socket = createConnection(path ?? '', () => socket.write(hello(channel)));
      // The other side has said its hello: now a proof from somebody who has no token.
      socket.once('data', () => {
        socket.write(encodeFrame({ kind: 'proof', proof: Buffer.alloc(32, 7) }));
        socket.resume();
      });
      socket.on('close', () => resolve());
    });
    await until('BAD_PROOF is logged', () => count(service.log, 'BAD_PROOF') > before);
  }
  // On the HTTP ports: whatever node's parser makes of it.
  const { port } = new URL(service.address);
  await new Promise<void>((resolve) => {
    const socket = createConnection(Number(port), '127.0.0.1', () => {
      socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 1, 2]));
    });
    socket.on('error', () => undefined);
    socket.resume().on('close', () => resolve());
  });
  t.equal((await service.execute('print("unharmed")')).body.toString(), 'unharmed\n');
  t.same([service.partPid('worker') > 0, service.partPid('controller') > 0], [true, true]);
});

function hello(channel: 'client' | 'receiver'): Buffer {
  const role = channel === 'client' ? 'http' : 'controller';
  const nonce = Buffer.alloc(32, 1);
  const who = { role, channel, id: 'stranger', instance: 's1' } as const;
  return encodeFrame({ kind: 'hello', protocol: protocolVersion, ...who, nonce });
}

function count(text: string, word: string): number {
  return text.split(word).length - 1;
}
