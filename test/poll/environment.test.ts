import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { describeFd, makePoller, Recorder, unixAddress, until } from './rig.js';
import { runProgram } from './run-program.js';

const program = fileURLToPath(new URL('programs/worker-thread.js', import.meta.url));

/** Starts a Worker with a poller; `fds` are what it opened, as 'number target'. */
async function startWorker(path: string): Promise<{ worker: Worker; fds: string[] }> {
  const worker = new Worker(program, { workerData: { path } });
  const fds = await new Promise<string[]>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  return { worker, fds };
}

t.test('two Workers and the main thread have a poller each', async (t) => {
  const poller = makePoller(t);
  const addresses = [unixAddress(t), unixAddress(t)];
  const workers = await Promise.all(addresses.map(({ path }) => startWorker(path)));
  const recorders = addresses.map((address) => {
    const recorder = new Recorder();
    poller.connect(address, recorder.handlers).write(address.path);
    return recorder;
  });
  await until(() => recorders.every((recorder, i) => recorder.text === addresses[i]?.path));
  await Promise.all(workers.map(({ worker }) => worker.terminate()));
  await Promise.all(recorders.map((recorder) => recorder.ended));
  t.same(
    recorders.map((recorder) => recorder.calls.slice(0, 3)),
    [
      ['open', 'data', 'end'],
      ['open', 'data', 'end'],
    ],
  );
});

t.test('a terminated Worker leaves no descriptor and no socket file behind', async (t) => {
  const { path } = unixAddress(t);
  const { worker, fds } = await startWorker(path);
  const kinds = ['eventpoll', 'socket:', 'pipe:', 'timerfd', 'pidfd'];
  for (const kind of kinds)
    t.ok(
      fds.some((fd) => fd.includes(kind)),
      `it had a ${kind}`,
    );
  await worker.terminate();
  const ours = fds.filter((fd) => kinds.some((kind) => fd.includes(kind)));
  const left = ours.filter((entry) => {
    const [fd, ...target] = entry.split(' ');
    const now = describeFd(Number(fd));
    // anon inodes have no number of their own: only sockets and pipes can be told apart
    return now === target.join(' ') && !now.startsWith('anon_inode');
  });
  t.same(left, []);
  t.equal(existsSync(path), false);
});

t.test('many Workers that come and go leave the number of descriptors as it was', async (t) => {
  const count = async (): Promise<number> => {
    const { readdirSync } = await import('node:fs');
    return readdirSync('/proc/self/fd').length;
  };
  const cycle = async (): Promise<void> => {
    const { worker } = await startWorker(unixAddress(t).path);
    await worker.terminate();
  };
  await cycle();
  const before = await count();
  for (let index = 0; index < 5; index++) await cycle();
  t.equal(await count(), before);
});

t.test('an open handle keeps the process alive; without one it exits', async (t) => {
  t.same(await runProgram('keeps-alive'), ['the timer went off']);
});

t.test('what a callback throws is an uncaught exception and costs no other event', async (t) => {
  t.same(await runProgram('throwing-callbacks', [unixAddress(t).path]), {
    uncaught: ['onData', 'onExpire', 'onConnection', 'gone', 'onClose'],
    batches: 1,
    after: 'still delivered',
    closed: true,
  });
});
