import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import t from 'tap';
import { Lifecycle } from '../../src/worker/lifecycle.js';
import { startWorker } from '../../src/worker/worker.js';
import { TestController, token } from './test-controller.js';
import {
  children,
  eventually,
  isAlive,
  openDescriptors,
  startRig,
  temporaryFolder,
} from './test-worker.js';

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
const log = pino({ level: 'silent' });

t.test('a worker that finds no controller exits, and its socket goes with it', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'w.sock');
  const worker = await startWorker({
    name: 'noop-1',
    type: 'noop',
    slots: 1,
    listen: `unix:${path}`,
    wireToken: token,
    isolation: 'none' as const,
    workDirectory: join(folder, 'work'),
    orphanMs: 50,
    log,
  });
  t.ok(existsSync(path));
  t.equal(await worker.closed, 'orphaned');
  t.notOk(existsSync(path));
});

t.test('an orphan ends what it runs; while a controller is there it stays', async (t) => {
  const orphanMs = 3_000;
  const startMs = performance.now();
  const { worker, controller, workDirectory } = await startRig(t, 'bash', { orphanMs });
  const key = controller.start({ code: 'sleep 60' });
  await controller.started(key);
  while (performance.now() - startMs < orphanMs + 200) await controller.run({ code: 'sleep 0.05' });
  const [pid] = children();
  t.ok(pid && isAlive(pid));
  controller.disconnect();
  t.equal(await worker.closed, 'orphaned');
  t.notOk(pid && isAlive(pid));
  t.strictSame(readdirSync(workDirectory), []);
});

t.test('a worker whose last step fails is closed all the same', async (t) => {
  const lifecycle = new Lifecycle(
    {
      isIdle: () => true,
      isAcknowledged: () => true,
      endRuns: () => undefined,
      release: () => Promise.reject(new Error('EBUSY')),
    },
    { orphanMs: 1_000, drainMs: 1_000, log },
  );
  lifecycle.end('closed');
  t.equal(await lifecycle.closed, 'closed');
});

t.test('a connection that is not proven keeps no worker alive', async (t) => {
  // Also the time that the controller has to come at all.
  const { worker, controller } = await startRig(t, 'noop', { orphanMs: 3_000 });
  const stranger = new TestController(worker.address);
  t.teardown(() => stranger.close());
  controller.disconnect();
  await t.rejects(stranger.open('receiver', Buffer.from('not the right token at all')));
  t.equal(await worker.closed, 'orphaned');
});

t.test(
  'drain finishes what runs and waits, refuses the rest, and ends when all is acknowledged',
  async (t) => {
    const { worker, controller } = await startRig(t, 'bash', { slots: 1 });
    controller.acknowledges = false;
    const running = controller.start({ code: 'sleep 0.1; echo one' });
    const waiting = controller.start({ code: 'echo two' });
    await controller.started(running);
    controller.receiver?.send({ kind: 'drain' });
    const late = controller.start({ code: 'echo never' });
    const refusal = await controller.result(late);
    t.match(refusal, { outcome: 'internal_fail', code: 'WORKER_BUSY', reason: /drains/ });
    t.equal(text((await controller.result(running)).stdout), 'one\n');
    t.equal(text((await controller.result(waiting)).stdout), 'two\n');
    t.equal(worker.stats().unacknowledged, 3);
    controller.acknowledge(running, waiting, late);
    t.equal(await worker.closed, 'drained');
    t.strictSame(controller.all('result').length, 3);
  },
);

t.test('draining when there is nothing to do ends at once, also when asked twice', async (t) => {
  const { worker } = await startRig(t, 'noop');
  await Promise.all([worker.drain(), worker.drain()]);
  t.equal(await worker.closed, 'drained');
});

t.test('what drains too long is ended, and its result still handed over', async (t) => {
  const { worker, controller } = await startRig(t, 'bash', { slots: 1, drainMs: 50 });
  const running = controller.start({ code: 'sleep 60' });
  const waiting = controller.start({ code: 'echo never' });
  await controller.started(running);
  await worker.drain();
  t.equal(await worker.closed, 'drainTimeout');
  t.match(await controller.result(running), { outcome: 'network_fail', code: 'WORKER_LOST' });
  t.match(await controller.result(waiting), { outcome: 'network_fail', code: 'WORKER_LOST' });
  t.equal(worker.stats().unacknowledged, 0);
});

t.test('close ends the processes and leaves neither descriptors nor directories', async (t) => {
  const before = openDescriptors();
  const { worker, controller, workDirectory } = await startRig(t, 'bash');
  const key = controller.start({ code: 'mkdir -p a/b; sleep 60' });
  await controller.started(key);
  await worker.close();
  await worker.close();
  t.equal(await worker.closed, 'closed');
  t.strictSame(children(), []);
  t.strictSame(readdirSync(workDirectory), []);
  controller.close();
  await eventually(() => openDescriptors() <= before);
});

t.test('300 runs leave descriptors, processes and directories as they were', async (t) => {
  const { worker, controller, workDirectory } = await startRig(t, 'bash', { slots: 4 });
  await controller.run({ code: 'true' });
  await eventually(() => readdirSync(workDirectory).length === 0);
  const before = openDescriptors();
  const codes = [
    'true',
    'exit 3',
    'mkdir -p d/e; ln -s /etc d/l',
    'kill -9 $$',
    'sleep 9 &',
    'cat',
  ];
  for (let round = 0; round < 300; round += 6) {
    const keys = codes.map((code) => controller.start({ code, stdin: Buffer.from('x') }));
    for (const key of keys) await controller.result(key);
  }
  t.equal(controller.all('result').length, 301);
  await eventually(() => readdirSync(workDirectory).length === 0);
  await eventually(() => openDescriptors() <= before);
  t.strictSame(children(), []);
  t.match(worker.stats(), { running: 0, queued: 0, deadlines: 0 });
  await eventually(() => worker.stats().unacknowledged === 0);
});

t.test('each run has a private directory of its own, removed with all that is in it', async (t) => {
  const { controller, workDirectory, folder } = await startRig(t, 'bash');
  const kept = join(folder, 'kept');
  mkdirSync(kept);
  writeFileSync(join(kept, 'file'), 'precious');
  const result = await controller.run({
    code: [
      'stat -c %a . script.sh; pwd',
      `ln -s ${kept} link; ln -s ${kept}/file file; mkfifo fifo; mkdir -p a/b; ln -s ${kept} a/b/c`,
      'chmod 000 a/b; chmod 000 a; touch "$(printf "\\377\\n")" "$(printf "%255s" x)"; chmod 000 .',
    ].join('\n'),
  });
  t.match(result, { outcome: 'success' });
  const [mode, fileMode, path] = text(result.stdout).split('\n');
  t.strictSame([mode, fileMode], ['700', '600']);
  t.ok(path?.startsWith(`${workDirectory}/`));
  await eventually(() => readdirSync(workDirectory).length === 0);
  t.strictSame(readdirSync(kept), ['file']);
  t.equal(statSync(kept).mode & 0o777, 0o755);
});

t.test('what a predecessor left in the work directory is removed at start', async (t) => {
  const folder = temporaryFolder(t);
  const workDirectory = join(folder, 'work');
  mkdirSync(join(workDirectory, 'abc123-1', 'deep'), { recursive: true });
  symlinkSync('/etc', join(workDirectory, 'abc123-1', 'link'));
  symlinkSync('/etc', join(workDirectory, 'abc123-2'));
  writeFileSync(join(workDirectory, 'abc123-2.1'), '');
  mkdirSync(join(workDirectory, "somebody's own"));
  const worker = await startWorker({
    name: 'noop-1',
    type: 'noop',
    slots: 1,
    listen: `unix:${join(folder, 'w.sock')}`,
    wireToken: token,
    isolation: 'none' as const,
    workDirectory,
    log,
  });
  await eventually(() => readdirSync(workDirectory).length === 1);
  await worker.close();
  t.strictSame(readdirSync(workDirectory), ["somebody's own"]);
  t.ok(existsSync('/etc/passwd'));
});

t.test('a thread that takes the worker for its tracer does not outlast its limit', async (t) => {
  const { worker, controller } = await startRig(t, 'python', { slots: 1 });
  const code = `
import ctypes, threading, time
def trace():
    print(ctypes.CDLL(None).ptrace(0, 0, None, None), flush=True)
    time.sleep(1000)
threading.Thread(target=trace).start()
time.sleep(1000)`;
  const result = await controller.run({ code, limits: { wallMs: 5_000 } });
  t.equal(text(result.stdout), '0\n');
  t.match(result, { code: 'WALL_LIMIT' });
  t.match(await controller.run({ code: '' }), { outcome: 'success' });
  await eventually(() => worker.stats().deadlines === 0);
});

t.test('a script that removes its directory, or replaces it, hands out nothing', async (t) => {
  const { controller, workDirectory } = await startRig(t, 'bash', { slots: 1 });
  for (const code of [
    'rm -rf "$PWD"',
    'rm -rf "$PWD"; ln -s /etc "$PWD"',
    'rm -rf "$PWD"; : >"$PWD"',
  ]) {
    const result = await controller.run({ code, collect: ['*'] });
    t.match(result, { outcome: 'success', files: [], filesNotCollected: [{ name: '.' }] }, code);
  }
  await eventually(() => readdirSync(workDirectory).length === 0);
});

t.test('a work directory that is a link, or open to others, is refused as it is', async (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'elsewhere'));
  symlinkSync(join(folder, 'elsewhere'), join(folder, 'link'));
  mkdirSync(join(folder, 'open'));
  chmodSync(join(folder, 'open'), 0o777);
  for (const name of ['link', 'open']) {
    const started = startWorker({
      name: 'noop-1',
      type: 'noop',
      slots: 1,
      listen: `unix:${join(folder, 'w.sock')}`,
      wireToken: token,
      isolation: 'none' as const,
      workDirectory: join(folder, name),
      log,
    });
    await t.rejects(started, { code: 'WORK_DIRECTORY' }, name);
    t.notOk(existsSync(join(folder, 'w.sock')));
  }
  t.equal(statSync(join(folder, 'open')).mode & 0o777, 0o777);
});
