import { execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { createConnection } from 'node:net';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { packageRoot } from '../src/native.js';

const run = promisify(execFile);
const program = join(packageRoot, 'dist', 'bench', 'peer');
const startAttemptsMax = 6_000;

/** What peer.c measured. */
export interface LoadResult {
  perSecond: number;
  p50Us: number;
}

/** An echo server: ours, node:net's, or the floor in C. */
export type EchoServer = 'poller' | 'net' | 'c';

/** Compiles peer.c unless that is done. */
export async function buildPeer(): Promise<void> {
  const source = join(packageRoot, 'bench', 'peer.c');
  const built = statSync(program, { throwIfNoEntry: false });
  if (built && built.mtimeMs > statSync(source).mtimeMs) return;
  mkdirSync(dirname(program), { recursive: true });
  await run('cc', ['-O2', '-Wall', '-Wextra', '-o', program, source]);
}

/**
 * Runs the C client against an echo server: two processes, each on a core of its own (where there
 * are two), since else the scheduler puts them on one or on two from run to run.
 */
export async function loadEchoServer(
  server: EchoServer,
  load: { connections: number; messageBytes: number; seconds: number },
): Promise<LoadResult> {
  const folder = mkdtempSync(join(tmpdir(), 'scriptd-bench-'));
  const path = join(folder, 's');
  const script = fileURLToPath(new URL('echo-server.js', import.meta.url));
  const command =
    server === 'c' ? [program, 'serve', path] : [process.execPath, script, server, path];
  const child = spawn('taskset', onCore(0, command), { stdio: ['ignore', 'inherit', 'inherit'] });
  try {
    await untilAnswering(path);
    const { connections, messageBytes, seconds } = load;
    const numbers = [connections, messageBytes, seconds].map(String);
    const { stdout } = await run('taskset', onCore(1, [program, 'load', path, ...numbers]));
    return JSON.parse(stdout) as LoadResult;
  } finally {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  }
}

/** Posts the same JSON body again and again over that many connections to a server of this host. */
export async function loadPosts(
  port: number,
  load: { connections: number; seconds: number; path: string; body: unknown },
): Promise<LoadResult> {
  const { connections, seconds, path, body } = load;
  const words = [port, connections, seconds].map(String);
  const { stdout } = await run(program, ['post', ...words, path, JSON.stringify(body)]);
  return JSON.parse(stdout) as LoadResult;
}

/** Arguments of taskset(1). */
function onCore(core: number, command: string[]): string[] {
  return ['--cpu-list', String(core % availableParallelism()), ...command];
}

async function untilAnswering(path: string): Promise<void> {
  for (let attempt = 0; attempt < startAttemptsMax; attempt++) {
    if (await answers(path)) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`no echo server answers on ${path}`);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
