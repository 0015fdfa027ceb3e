import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import t from 'tap';
import { Poller } from '../../src/poll/poller.js';
import type { Result } from '../../src/task.js';
import { Deadlines } from '../../src/worker/deadlines.js';
import { WorkRoot } from '../../src/worker/directory.js';
import { Execution } from '../../src/worker/execution.js';
import { PlainIsolation } from '../../src/worker/plain-isolation.js';
import type { ProcessRuntime } from '../../src/worker/runtimes/runtime.js';
import { Starter } from '../../src/worker/warm/starter.js';
import { defaultLimits } from './test-controller.js';
import { children, openDescriptors, temporaryFolder } from './test-worker.js';

const bash: ProcessRuntime = {
  kind: 'process',
  file: '/bin/bash',
  prefixes: [],
  scriptName: 'script.sh',
  env: {},
  argv: (args) => ['/bin/bash', 'script.sh', ...args],
};

interface Parts {
  run(code: string, runtime?: Partial<ProcessRuntime>): Promise<Result>;
  poller: Poller;
  deadlines: Deadlines;
  folder: string;
  errors: unknown[];
}

/** What a worker gives its executions, each of which a test may break. */
function parts(t: { teardown(action: () => unknown): void }): Parts {
  const folder = temporaryFolder(t);
  const errors: unknown[] = [];
  const log = pino({ level: 'error' }, { write: (line) => errors.push(JSON.parse(line)) });
  const poller = new Poller();
  t.teardown(() => poller.close());
  const nowMs = () => performance.now();
  const deadlines = new Deadlines((onExpire) => poller.timer(onExpire), nowMs);
  const root = new WorkRoot(join(folder, 'work'), log);
  const run = (code: string, runtime: Partial<ProcessRuntime> = {}) =>
    new Promise<Result>((resolve, reject) => {
      let ends = 0;
      const task = {
        kind: 'execute',
        taskId: 'task',
        attempt: 1,
        code,
        stdin: Buffer.from('x'),
        limits: defaultLimits,
      } as const;
      const used = { ...bash, ...runtime };
      const isolation = new PlainIsolation(root);
      const starter = new Starter({ runtime: used, isolation, poller, readyMax: 1, nowMs, log });
      const context = {
        runtime: used,
        starter,
        poller,
        deadlines,
        nowMs,
        log,
      };
      const events = {
        onStarted: () => undefined,
        onEnd: (result: Result) => {
          if (++ends > 1) reject(new Error('a second end'));
          starter
            .close()
            .then(() => root.settled())
            .then(() => resolve(result), reject);
        },
      };
      new Execution(context, { task, receivedAtMs: nowMs() }, events).begin();
    });
  return { run, poller, deadlines, folder, errors };
}

const internal = { outcome: 'internal_fail', code: 'INTERNAL' } as const;

t.test('an error of ours before the start is INTERNAL, logged, and leaves nothing', async (t) => {
  const { run, folder, errors } = parts(t);
  const argv = () => {
    throw new TypeError('broken argv');
  };
  t.match(await run('true', { argv }), { ...internal, reason: /broken argv/ });
  t.match(errors, [{ err: { message: 'broken argv' } }]);
  t.strictSame(readdirSync(join(folder, 'work')), []);
});

t.test('an error of ours in the verdict is INTERNAL, and the output is kept', async (t) => {
  const { run } = parts(t);
  const raised = () => {
    throw new TypeError('broken report');
  };
  const result = await run('echo said; exit 7', { raised, raisedExitCode: 7 });
  t.match(result, { ...internal, exitCode: 7 });
  t.equal(Buffer.from(result.stdout).toString(), 'said\n');
});

t.test(
  'when any part of the watching fails the process is ended and nothing is left',
  async (t) => {
    const { run, poller, deadlines } = parts(t);
    await run('true');
    const broken = () => {
      throw new Error('broken part');
    };
    const before = openDescriptors();
    const adopt = poller.adopt.bind(poller);
    for (let adopted = 0; adopted < 3; adopted++) {
      let left = adopted;
      poller.adopt = (fd, handlers) => {
        const socket = adopt(fd, handlers);
        if (left-- > 0) return socket;
        socket.close();
        return broken();
      };
      t.match(await run('sleep 60'), { ...internal, signal: 'SIGKILL' }, `adopt ${adopted}`);
      poller.adopt = adopt;
    }
    const add = deadlines.add.bind(deadlines);
    deadlines.add = broken;
    t.match(await run('sleep 60'), { ...internal, signal: 'SIGKILL' }, 'deadline');
    deadlines.add = add;
    const watchProcess = poller.watchProcess.bind(poller);
    poller.watchProcess = (pidfd, onExit) => {
      watchProcess(pidfd, onExit).close();
      return broken();
    };
    t.match(await run('sleep 60'), { ...internal, signal: 'SIGKILL' }, 'watch');
    poller.watchProcess = watchProcess;
    t.equal(openDescriptors(), before);
    t.strictSame(children(), []);
    t.match(await run('true'), { outcome: 'success' }, 'the next one is well');
  },
);

t.test(
  'a work directory that has vanished is START_FAILED with system call and errno',
  async (t) => {
    const { run, folder } = parts(t);
    rmSync(join(folder, 'work'), { recursive: true });
    t.match(await run('true'), {
      outcome: 'internal_fail',
      code: 'START_FAILED',
      reason: /ENOENT.*mkdir/,
    });
  },
);

t.test('an executable that has vanished is START_FAILED with system call and errno', async (t) => {
  const { run, folder } = parts(t);
  const result = await run('true', { file: '/nowhere/bash' });
  t.match(result, { code: 'START_FAILED', reason: /execve failed with ENOENT/ });
  t.strictSame(readdirSync(join(folder, 'work')), []);
});
