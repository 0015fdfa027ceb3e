import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../free-port.js';
import { Http } from '../http.js';
import { peerProgram } from './program.js';

/** A sandbox server with HTTP, https://github.com/criyle/go-judge. */
export const goJudge = peerProgram(
  'go-judge',
  'BENCH_GO_JUDGE',
  'go install github.com/criyle/go-judge/cmd/go-judge@latest, ' +
    'then put it into PATH or its path into BENCH_GO_JUDGE',
);

export interface GoJudge {
  /** Over a kept connection. Throws unless the program ends with 0 and prints `expected`. */
  run(args: readonly string[], expected: string): Promise<void>;
  stop(): Promise<void>;
}

interface RunResult {
  status: string;
  exitStatus: number;
  files?: { stdout?: string };
}

/** What a program may use, about as much as a script of ours: nanoseconds, bytes. */
const limits = {
  ...{ cpuLimit: 30e9, clockLimit: 30e9, memoryLimit: 512 * 1024 * 1024, procLimit: 256 },
};
const outputBytesMax = 4 * 1024 * 1024;
const startAttemptsMax = 6_000;

/** One server, with as many containers made ahead as it makes by itself. */
export async function startGoJudge(program: string): Promise<GoJudge> {
  const address = `127.0.0.1:${await freePort()}`;
  const flags = ['-http-addr', address, '-silent', '-no-fallback'];
  const child = spawn(program, flags, { stdio: ['ignore', 'ignore', 'inherit'] });
  const gone = once(child, 'exit').then(([code]) => {
    throw new Error(`go-judge ended with ${code}`);
  });
  // Once it listens, its end is nobody's surprise.
  gone.catch(() => undefined);
  const http = new Http(`http://${address}`, 1);
  const run = async (args: readonly string[], expected: string) => {
    const out = ['stdout', 'stderr'].map((name) => ({ name, max: outputBytesMax }));
    const files = [{ content: '' }, ...out];
    const cmd = [{ args, env: ['PATH=/usr/bin:/bin', 'LANG=C'], files, ...limits }];
    const { status, body } = await http.json('POST', '/run', { cmd });
    const [result] = (status === 200 ? body : []) as RunResult[];
    const said = result?.files?.stdout;
    if (result?.status !== 'Accepted' || result.exitStatus !== 0 || said !== expected) {
      throw new Error(`go-judge answered ${status}: ${JSON.stringify(body)}`);
    }
  };
  for (let attempt = 1; !(await answers(http)); attempt++) {
    if (attempt === startAttemptsMax) throw new Error(`go-judge does not listen on ${address}`);
    await Promise.race([gone, delay(10)]);
  }
  return {
    run,
    async stop() {
      http.close();
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

/** False as long as nobody listens. */
async function answers(http: Http): Promise<boolean> {
  try {
    return (await http.request('GET', '/version')).status === 200;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') return false;
    throw error;
  }
}
