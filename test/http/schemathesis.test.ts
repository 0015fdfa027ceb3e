import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { packageRoot } from '../../src/native.js';
import { Service, until } from '../cli/service.js';

const programs = join(packageRoot, 'test', 'http', 'programs');
const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
const schemathesis = join(cache, 'scriptd-test', 'schemathesis', 'bin', 'schemathesis');
const skip = existsSync(schemathesis)
  ? false
  : 'no schemathesis here: make one with node test/http/programs/build.mjs';

const token = 'a-token-of-the-tests-0123456789';
const authorization = `Bearer ${token}`;

/**
 * Every check but one: that whatever fits the document is accepted. What a task may be depends on
 * the types that there are, on their maxima, and on how many bytes a text has, too.
 */
const withoutCheck = 'positive_data_acceptance';
/** Streams: that of a task which waits for its time ends when that has come, others never. */
const withoutOperations = '^follow';
/** Of each operation and phase: about two thousand requests in all. */
const examplesMax = 12;
/** Not a measure: a request that is held for ever shall not hold the test. */
const requestTimeoutSeconds = 60;

/** A paused type would have /execute wait until somebody resumes it. */
async function keepQueuesGoing(service: Service, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    for (const type of ['python', 'bash']) {
      await service.request('POST', `/v1/queues/${type}/resume`, undefined, { authorization });
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

interface Run {
  code: number | null;
  report: string;
}

async function runSchemathesis(t: Test, address: string): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), 'scriptd-schemathesis-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const options = {
    '--header': `Authorization: ${authorization}`,
    '--exclude-checks': withoutCheck,
    '--exclude-operation-id-regex': withoutOperations,
    '--max-examples': String(examplesMax),
    '--request-timeout': String(requestTimeoutSeconds),
  };
  const args = [
    ...['--config-file', join(programs, 'schemathesis.toml')],
    ...['run', `${address}/openapi.json`, '--generation-deterministic', '--no-color'],
    ...Object.entries(options).flat(),
    '--continue-on-failure',
  ];
  const child = spawn(schemathesis, args, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    // Nothing of tap's: it would have its progress drawn into the report.
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      SCHEMATHESIS_HOOKS: join(programs, 'ndjson.py'),
      PYTHONDONTWRITEBYTECODE: '1',
    },
  });
  t.teardown(() => child.kill());
  let report = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      report += text;
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, report };
}

t.test(
  'no request that the document gives rise to brings a 500, or contradicts it',
  {
    skip,
  },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'scriptd-tokens-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const tokenFile = join(folder, 'tokens');
    writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 });
    const workers = ['--workers', 'python=1,bash=1', '--isolation', 'auto'];
    // Scripts that are made up run no longer than this, and take no more.
    const config =
      'limits: { wallMs: 5000, cpuMs: 5000, memoryBytes: 268435456, processes: 64 }\n' +
      'runtimes: { python: { limitsMax: { wallMs: 10000 } }, bash: { limitsMax: { wallMs: 10000 } } }\n';
    const service = await Service.start(t, [...workers, '--token-file', tokenFile], config);
    let isOver = false;
    const going = keepQueuesGoing(service, () => isOver);
    const { code, report } = await runSchemathesis(t, service.address);
    isOver = true;
    await going;
    t.equal(code, 0, report.slice(-16_384));
    const cases = Number(/(\d+) generated/.exec(report)?.[1] ?? 0);
    t.ok(cases > 500, `${cases} requests were made`);
    t.notMatch(service.log, /a request failed by a fault of ours/);
    // A worker that was drained is started again first.
    await until(
      'it is ready',
      async () => (await service.request('GET', '/readyz')).status === 200,
    );
  },
);
