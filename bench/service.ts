import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../src/native.js';

/** A real `scriptd up` for one bench. */
export interface Service {
  /** GET /execute over a kept connection; throws unless it prints `expected`. */
  execute(code: string, expected: string): Promise<void>;
  stop(): Promise<void>;
}

/** @param clients connections that are kept at most */
export async function startService(clients: number, workers = 'python=2'): Promise<Service> {
  const dataDir = mkdtempSync(join(tmpdir(), 'scriptd-bench-'));
  const flags = ['--port=0', '--debug-port=0', '--log-level=error', `--workers=${workers}`];
  const child = spawn(
    join(packageRoot, 'bin', 'scriptd'),
    ['up', `--data-dir=${dataDir}`, ...flags],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  const address = /^scriptd ready (\S+)/.exec(line)?.[1];
  if (address === undefined) throw new Error(`up said: ${line}`);
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  return {
    async execute(code, expected) {
      const path = `/execute?code=${encodeURIComponent(code)}`;
      const request = get(`${address}${path}`, { agent });
      const [response] = await once(request, 'response');
      let body = '';
      for await (const chunk of response) body += chunk;
      if (response.statusCode !== 200 || body !== expected) throw new Error(`answered: ${body}`);
    },
    async stop() {
      agent.destroy();
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
