import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lifelineVariable } from '../src/cli/part.js';
import { packageRoot } from '../src/native.js';
import { Http } from './http.js';

/** A real `scriptd up` for one bench. */
export interface Service {
  readonly dataDir: string;
  readonly port: number;
  /** Of `scriptd up` itself. */
  readonly pid: number;
  readonly http: Http;
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
    // It ends with this process, however that ends: its stdin is the lifeline.
    { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, [lifelineVariable]: 'stdin' } },
  );
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`up ended with ${code} before it was ready`);
  });
  const said = once(child.stdout.setEncoding('utf8'), 'data');
  const [line] = (await Promise.race([said, ended])) as [string];
  // Once it is ready, its end is nobody's surprise.
  ended.catch(() => undefined);
  const address = /^scriptd ready (\S+)/.exec(line)?.[1];
  if (address === undefined) throw new Error(`up said: ${line}`);
  const http = new Http(address, clients);
  return {
    dataDir,
    port: Number(new URL(address).port),
    pid: child.pid ?? 0,
    http,
    async execute(code, expected) {
      const path = `/execute?code=${encodeURIComponent(code)}`;
      const { status, body } = await http.request('GET', path);
      if (status !== 200 || body.toString() !== expected) throw new Error(`answered: ${body}`);
    },
    async post(path, body) {
      const answer = await http.json('POST', path, body);
      const { status } = answer;
      if (status < 200 || status > 299) throw new Error(`answered: ${JSON.stringify(answer)}`);
      return answer.body as Record<string, unknown>;
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
      http.close();
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
      if (!keep) rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
