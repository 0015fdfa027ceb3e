import { readFileSync } from 'node:fs';
import t from 'tap';
import { type Given, leavingRig, pythonRuntime, scriptCheck, waits } from './leaving-rig.js';
import { lackingForStrict } from './strict-host.js';
import { children, eventually, isAlive, startRig } from './test-worker.js';

const skip = lackingForStrict();
const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString();

t.test(
  'a result is told before its sandbox is gone, and nothing else of it is left',
  { skip },
  async (t) => {
    const rig = await leavingRig(t, 1);
    // What holds its outputs open, in a session of its own and as an orphan.
    const code = '(setsid sleep 1000 &) ; sleep 1000 & echo x >file; echo out; exit 3';
    rig.start('task', { code, collect: ['file'] });
    const result = await rig.result('task');
    t.match(result, { code: 'EXIT_NONZERO', exitCode: 3, files: [{ name: 'file' }] });
    t.equal(text(result.stdout), 'out\n');
    t.ok((result.usage?.processesPeak ?? 0) >= 3, 'what its cgroup counted is in it');
    const [given] = rig.given as [Given];
    t.strictSame(rig.others(given), []);
    t.match(given, { isGone: false, isFree: false });
    t.notOk(rig.slots.idle, 'who drains waits for it');
    await rig.ended(1);
    rig.release(given);
    t.match(given, { isGone: true, isFree: true });
    t.equal(rig.left(), 1);
    t.ok(rig.slots.idle);
  },
);

t.test('no more are on their way out than there are slots: one', { skip }, async (t) => {
  const rig = await leavingRig(t, 1);
  for (const name of ['a', 'b', 'c', 'd']) rig.start(name, { code: `echo ${name}; id -u` });
  await rig.result('a');
  await rig.ended(2);
  await rig.settle();
  t.strictSame([...rig.told.keys()], ['a'], 'b has ended, and waits for its own end or that of a');
  t.equal(rig.slots.running, 1);
  t.not(rig.given[0]?.uid, rig.given[1]?.uid, 'ids of what is not gone are not given away');
  t.strictSame(
    rig.given.map(({ isFree }) => isFree),
    [false, false],
  );
  rig.release();
  await rig.result('d');
  await eventually(() => rig.slots.idle);
  t.equal(rig.given.length, 4);
  t.ok(rig.given.every(({ isGone, isFree }) => isGone && isFree));
  for (const [index, [name, { stdout }]] of [...rig.told].entries()) {
    t.equal(text(stdout), `${name}\n${rig.given[index]?.uid}\n`);
  }
});

t.test('no more are on their way out than there are slots: two', { skip }, async (t) => {
  const rig = await leavingRig(t, 2);
  rig.start('a', { code: '' });
  await rig.result('a');
  for (const name of ['b', 'c']) rig.start(name, { code: waits });
  await eventually(() => rig.given.length === 3 && rig.given.every(({ pid }) => pid > 0));
  const scripts = rig.given.slice(1).map((given) => async () => {
    await eventually(() => rig.others(given).some(isWaiting));
    process.kill(rig.others(given)[0] as number, 'SIGTERM');
  });
  for (const end of scripts) await end();
  await rig.ended(3);
  await rig.settle();
  t.equal(rig.told.size, 2, 'a, and the first of the others');
  rig.start('d', { code: '' });
  await rig.ended(4);
  await rig.settle();
  t.equal(rig.told.size, 2);
  t.equal(new Set(rig.given.map(({ uid }) => uid)).size, 4);
  rig.release(rig.given[0]);
  t.equal(rig.told.size, 2, 'what waits for its own end has that to wait for');
  rig.release();
  t.strictSame([...rig.told.keys()].sort(), ['a', 'b', 'c', 'd']);
});

t.test('the script of a check counts among them', { skip }, async (t) => {
  const rig = await leavingRig(t, 1);
  rig.start('task', { code: 'echo x', check: scriptCheck });
  await rig.ended(2);
  await rig.settle();
  t.equal(rig.told.size, 0, 'its script is on its way out, so its checker is waited for');
  t.equal(rig.slots.running, 1);
  t.not(rig.given[0]?.uid, rig.given[1]?.uid);
  rig.release();
  t.match(await rig.result('task'), { outcome: 'success' });
  t.ok(rig.slots.idle);
});

t.test('a run that was ended from outside is waited for to its end', { skip }, async (t) => {
  const rows = {
    wallLimit: { order: { code: waits, limits: { wallMs: 1 } }, verdict: { code: 'WALL_LIMIT' } },
    outputLimit: {
      order: { code: 'echo too much; exit 0', limits: { outputBytes: 1 } },
      verdict: { code: 'OUTPUT_LIMIT' },
    },
  };
  for (const [name, { order, verdict }] of Object.entries(rows)) {
    const rig = await leavingRig(t, 1);
    rig.start(name, order);
    await rig.ended(1);
    await rig.settle();
    t.equal(rig.told.size, 0, name);
    rig.release();
    t.match(rig.told.get(name), verdict);
    t.equal(rig.left(), 0);
  }
});

t.test('a first process that is killed while the script runs', { skip }, async (t) => {
  const rig = await leavingRig(t, 1);
  rig.start('task', { code: waits });
  await eventually(() => (rig.given[0]?.pid ?? 0) > 0);
  const [given] = rig.given as [Given];
  await eventually(() => rig.others(given).some(isWaiting));
  const [script] = rig.others(given) as [number];
  process.kill(given.pid, 'SIGKILL');
  await rig.ended(1);
  await rig.settle();
  t.equal(rig.told.size, 0);
  t.notOk(isAlive(script), 'the script went with it');
  rig.release();
  t.match(rig.told.get('task'), { code: 'SIGNALED', signal: 'SIGKILL' });
});

t.test(
  'a script that attacks its first process has no say in when it is over',
  { skip },
  async (t) => {
    const rig = await leavingRig(t, 1, pythonRuntime);
    const code = `
import os, resource, signal, socket, ctypes
libc = ctypes.CDLL(None, use_errno=True)
for number in range(1, 65):
    try: os.kill(1, number)
    except OSError: pass
for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_AS, resource.RLIMIT_STACK, resource.RLIMIT_CPU):
    try: resource.prlimit(1, kind, (0, 0))
    except OSError: pass
try: os.setpriority(os.PRIO_PROCESS, 1, 19)
except OSError: pass
try: os.sched_setscheduler(1, os.SCHED_IDLE, os.sched_param(0))
except OSError: pass
try: os.sched_setaffinity(1, {0})
except OSError: pass
print([name for name in ("fd/2", "mem", "exe") if os.access("/proc/1/" + name, os.R_OK)])
print(os.getpriority(os.PRIO_PROCESS, 1) == os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(1) == os.SCHED_OTHER)
for fd in range(3, 100):
    try: os.write(fd, b"E\\0\\0\\0\\0D")
    except OSError: pass
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.pause()
        os._exit(0)
print("over", flush=True)
os._exit(7)`;
    rig.start('task', { code });
    await eventually(() => (rig.given[0]?.pid ?? 0) > 0);
    const [given] = rig.given as [Given];
    const result = await rig.result('task');
    t.strictSame(rig.others(given), [], 'nothing is left when it is told');
    t.equal(text(result.stdout), '[]\nTrue True\nover\n', text(result.stderr));
    t.match(result, { exitCode: 7, code: 'EXIT_NONZERO' });
    await rig.ended(1);
    rig.release();
    t.ok(rig.slots.idle);
  },
);

t.test('a drain waits for what is on its way out', { skip }, async (t) => {
  const { worker, controller } = await startRig(t, 'bash', { isolation: 'strict', slots: 1 });
  const keys = Array.from({ length: 3 }, (_, index) => controller.start({ code: `echo ${index}` }));
  const results = await Promise.all(keys.map((key) => controller.result(key)));
  t.strictSame(
    results.map(({ stdout }) => text(stdout)),
    ['0\n', '1\n', '2\n'],
  );
  await worker.drain();
  t.strictSame(children(), [], 'no first process is there, not even a zombie');
});

/** It has come as far as the last command of its script: before that a kill is a start that failed. */
function isWaiting(pid: number): boolean {
  return readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'sleep';
}
