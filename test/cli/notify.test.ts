import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { packageRoot } from '../../src/native.js';
import { NotifySocket } from '../systemd/notified.js';

const scriptd = join(packageRoot, 'bin', 'scriptd');

interface Part {
  child: ChildProcess;
  socket: NotifySocket;
  dataDir: string;
}

/** A part of a service as systemd would start it, and what it tells. Ended with the test. */
async function start(
  t: Test,
  args: string[],
  env: Record<string, string> = {},
  dataDir = mkdtempSync(join(tmpdir(), 'scriptd-notify-')),
): Promise<Part> {
  const socket = await NotifySocket.open(t);
  const child = spawn('env', ['-u', 'NODE_OPTIONS', scriptd, ...args, '--data-dir', dataDir], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      ...{ NOTIFY_SOCKET: socket.address, WATCHDOG_USEC: '1000000', SCRIPTD_LOG_LEVEL: 'error' },
      ...env,
    },
  });
  t.teardown(async () => {
    await end(child);
    rmSync(dataDir, { recursive: true, force: true });
  });
  return { child, socket, dataDir };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

const told = (text: string | RegExp) => (socket: NotifySocket) =>
  socket.texts.some((each) => (typeof text === 'string' ? each === text : text.test(each)));

t.test('up is ready when a script could run, says how it stands, and ends in order', async (t) => {
  const ports = ['--port', '0', '--debug-port', '0'];
  const args = ['up', ...ports, '--workers', 'bash=2', '--isolation', 'none'];
  const { child, socket } = await start(t, args);
  await socket.until(told('READY=1'));
  await socket.until(
    told('STATUS=ready: 0 tasks pending, 0 running; 0 of 2 slots busy in 1 workers'),
  );
  await socket.until(told('WATCHDOG=1'));
  await end(child);
  await socket.until(told('STOPPING=1'));
  t.equal(child.exitCode, 0);
  t.same(new Set(socket.notices.map(({ pid }) => pid)), new Set([child.pid]), 'nobody else speaks');
  t.equal(socket.texts.filter((text) => text === 'READY=1').length, 1);
});

t.test('a worker is ready when it listens and is warm, and tells of its slots', async (t) => {
  const args = ['worker', '--type', 'python', '--slots', '3', '--isolation', 'none'];
  const { socket } = await start(t, args);
  await socket.until(told('READY=1'));
  await socket.until(told(/^STATUS=python at isolation none: 0 of 3 slots busy, .* waits for/));
  t.pass();
});

t.test('a controller is ready when it listens, and says what is missing', async (t) => {
  const args = ['controller', '--workers', 'awk=1', '--isolation', 'none'];
  const config = join(mkdtempSync(join(tmpdir(), 'scriptd-notify-')), 'scriptd.yaml');
  const { socket } = await start(t, [...args, ...withType(config)]);
  await socket.until(told('READY=1'));
  await socket.until(told(/^STATUS=not ready \(no awk worker is connected\): 0 tasks pending/));
  t.pass();
});

/** A type whose worker takes its time to start. */
function withType(config: string): string[] {
  writeFileSync(config, 'runtimes:\n  awk:\n    command: [awk, -f, "{script}"]\n');
  return ['--config', config];
}

t.test('an http daemon serves the sockets that it was started with', async (t) => {
  const servers = [createServer(), createServer()];
  for (const server of servers) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  // @ts-expect-error: the descriptor of a server is not among its types
  const fds = servers.map((server) => server._handle.fd);
  const dataDir = mkdtempSync(join(tmpdir(), 'scriptd-sockets-'));
  // As systemd does: the pid is that of the program, which is known only in its process.
  const shell = `LISTEN_PID=$$ exec "${scriptd}" http --data-dir ${dataDir} --port 1 --host 192.0.2.1`;
  const child = spawn('env', ['-u', 'NODE_OPTIONS', 'sh', '-c', shell], {
    stdio: ['ignore', 'pipe', 'inherit', ...fds],
    env: {
      ...process.env,
      LISTEN_FDS: '2',
      LISTEN_FDNAMES: 'debug:http',
      SCRIPTD_LOG_LEVEL: 'error',
    },
  });
  t.teardown(async () => {
    await end(child);
    rmSync(dataDir, { recursive: true, force: true });
  });
  // Handles of ours would take connections too.
  for (const server of servers) server.close();
  const [line] = await once(child.stdout ?? t, 'data');
  const [debug, http] = ports;
  t.equal(
    String(line),
    `scriptd http listening http://127.0.0.1:${http} debug http://127.0.0.1:${debug}\n`,
  );
  for (const port of ports) t.equal(await statusOf(port, '/healthz'), 200);
  t.equal(await statusOf(debug ?? 0, '/debug/loop'), 200);
  t.equal(await statusOf(http ?? 0, '/debug/loop'), 404);
});

function statusOf(port: number, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    })
      .once('error', reject)
      .end();
  });
}
