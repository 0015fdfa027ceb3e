import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, get, type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../src/native.js';

/** A real `scriptd up` for one bench. */
export interface Service {
  readonly dataDir: string;
  readonly port: number;
  /** GET /execute over a kept connection; throws unless it prints `expected`. */
  execute(code: string, expected: string): Promise<void>;
  /** POST of a JSON body over a kept connection; throws unless it is answered with 2xx. */
  post(path: string, body: unknown): Promise<Record<string, unknown>>;
  /** The process id of one of its parts. */
  pidOf(part: 'controller' | 'http'): number;
  /** `keep`: its folder stays, for another service. */
  stop(options?: { keep: boolean }): Promise<void>;
}

export interface ServiceOptions {
  /** Connections that are kept at most. */
  clients: number;
  workers?: string;
  /** One that an earlier service has left. */
  dataDir?: string;
  flags?: readonly string[];
}

export async function startService(options: ServiceOptions): Promise<Service> {
  const { clients, workers = 'python=2', flags = [] } = options;
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'scriptd-bench-'));
  const shared = ['--port=0', '--debug-port=0', '--log-level=error', `--workers=${workers}`];
  const child = spawn(
    join(packageRoot, 'bin', 'scriptd'),
    ['up', `--data-dir=${dataDir}`, ...shared, ...flags],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  const address = /^scriptd ready (\S+)/.exec(line)?.[1];
  if (address === undefined) throw new Error(`up said: ${line}`);
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  return {
    dataDir,
    port: Number(new URL(address).port),
    async execute(code, expected) {
      const asked = get(`${address}/execute?code=${encodeURIComponent(code)}`, { agent });
      const [response] = (await once(asked, 'response')) as [IncomingMessage];
      const body = await textOf(response);
      if (response.statusCode !== 200 || body !== expected) throw new Error(`answered: ${body}`);
    },
    async post(path, body) {
      const headers = { 'content-type': 'application/json' };
      const asked = request(`${address}${path}`, { agent, method: 'POST', headers });
      asked.end(JSON.stringify(body));
      const [response] = (await once(asked, 'response')) as [IncomingMessage];
      const text = await textOf(response);
      if (response.statusCode?.toString()[0] !== '2') throw new Error(`answered: ${text}`);
      return JSON.parse(text) as Record<string, unknown>;
    },
    pidOf(part) {
      const pids = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8');
      for (const pid of pids.trim().split(' ')) {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        if (words.includes(part)) return Number(pid);
      }
      throw new Error(`${part} is not there`);
    },
    async stop({ keep } = { keep: false }) {
      agent.destroy();
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
      if (!keep) rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  return text;
}
