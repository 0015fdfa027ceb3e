import { once } from 'node:events';
import { Socket } from 'node:net';
import { constants } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { packageRoot } from '../../src/native.js';
import { reap, signalGroup } from '../../src/worker/process-end.js';
import { startProcess } from '../../src/worker/sandbox.js';
import {
  children,
  closeAll,
  ended,
  finish,
  openDescriptors,
  run,
  shell,
} from './sandbox-process.js';

const { SIGKILL, SIGTERM } = constants.signals;
const threadFile = join(packageRoot, 'dist', 'test', 'worker', 'sandbox-thread.js');

t.test('reap: undefined while it runs, then the status once, then ECHILD', async (t) => {
  const started = startProcess(shell('read line; exit 5', { stdin: 'pipe' }));
  t.equal(reap(started.pid), undefined);
  t.equal((await finish(started, 'line\n')).exitCode, 5);
  t.throws(() => reap(started.pid), { code: 'ECHILD', syscall: 'wait4' });
});

t.test('signalGroup reaches the children of the process too', async (t) => {
  const { pid, pidfd, stdout, stderr } = startProcess(
    shell('sleep 1000 & (sleep 1000 & wait) & echo ready; wait'),
  );
  closeAll(pidfd, stderr);
  const output = new Socket({ fd: stdout, writable: false });
  await once(output, 'data');
  t.equal(signalGroup(pid, SIGKILL), true);
  // Only when the last process that holds the other end is gone.
  await once(output.resume(), 'end');
  t.match(await ended(pid), { exitCode: undefined, signal: 'SIGKILL' });
});

t.test('the number of a process stays taken until it is reaped', async (t) => {
  const { pid, pidfd, stdout, stderr } = startProcess(shell('exec >&- 2>&-; exit 0'));
  const output = new Socket({ fd: stdout, writable: false });
  await once(output.resume(), 'end');
  closeAll(pidfd, stderr);
  t.equal(signalGroup(pid, SIGTERM), true, 'about to end, or a zombie');
  await ended(pid);
  t.equal(signalGroup(pid, SIGTERM), false);
});

t.test('1,000 starts, 20 at a time, leave no descriptor and no zombie', async (t) => {
  await run(shell('')); // what node opens once is open from here
  const before = openDescriptors();
  let exits = 0;
  const chain = async () => {
    for (let i = 0; i < 50; i++) {
      const { exitCode } = await run(shell('exit 1'));
      if (exitCode === 1) exits++;
    }
  };
  await Promise.all(Array.from({ length: 20 }, chain));
  t.equal(exits, 1000);
  t.same(children(), []);
  t.same(openDescriptors(), before);
});

t.test('two Workers and the main thread start processes at once', async (t) => {
  const workers = ['a', 'b'].map((name) => startWorker({ echo: name }));
  const answers = workers.map((worker) => once(worker, 'message'));
  const wrong: string[] = [];
  for (let i = 0; i < 100; i++) {
    const { stdout } = await run(shell(`echo ${i}`));
    if (stdout !== `${i}\n`) wrong.push(stdout);
  }
  t.same(wrong, []);
  for (const [index, name] of ['a', 'b'].entries()) {
    const expected = Array.from({ length: 100 }, (_, i) => `${name}${i}\n`);
    t.same(await answers[index], [expected]);
  }
  await Promise.all(workers.map((worker) => worker.terminate()));
  t.same(children(), []);
});

t.test('a process is killed when the Worker that started it ends', async (t) => {
  const worker = startWorker({ sleep: true });
  const [pid] = await once(worker, 'message');
  t.equal(reap(pid), undefined, 'it runs');
  await worker.terminate();
  t.match(await ended(pid), { signal: 'SIGKILL' });
});

function startWorker(workerData: object): Worker {
  // Not tracked: node warns of descriptors that are closed by it and were not opened by it.
  return new Worker(threadFile, { workerData, trackUnmanagedFds: false });
}
