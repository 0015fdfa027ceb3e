import { closeSync, writeSync } from 'node:fs';
import t from 'tap';
import { readStatus } from '../../src/worker/process-end.js';
import { frameLimits } from '../../src/worker/resource-limits.js';
import { startProcess } from '../../src/worker/sandbox.js';
import type { SpawnPlan, StartedProcess, StrictPlan } from '../../src/worker/spawn-plan.js';
import { encodeTaskFrame, type TaskFrame } from '../../src/worker/task-frame.js';
import { skip, strictPlan } from './sandbox-plans.js';
import {
  children,
  drained,
  drainedBytes,
  ended,
  gone,
  openDescriptors,
  python,
  run,
  shell,
} from './sandbox-process.js';

const frame: TaskFrame = {
  inspect: false,
  argv: [
    'sh',
    '-c',
    'echo "$A" "$@"; cat given; ulimit -n; ls /proc/self/fd | tr "\\n" " "',
    'x',
    'y',
  ],
  env: ['A=b c', 'PATH=/usr/bin:/bin'],
  limits: frameLimits({ openFiles: 77 }),
  files: [{ name: 'given', content: Buffer.from('content\n') }],
};

/** Writes what the control pipe is for, closes it, and waits for all that comes out. */
async function controlled(
  { pid, pidfd, stdout, stderr, status, control }: StartedProcess,
  bytes: Uint8Array,
) {
  if (control === undefined) throw new Error('there is no control pipe');
  const all = Promise.all([drained(stdout), drained(stderr), drainedBytes(status ?? -1)]);
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(control, bytes, done);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
  closeSync(control);
  const [out, err, said] = await all;
  closeSync(pidfd);
  await ended(pid);
  return { stdout: out, stderr: err, status: readStatus(said) };
}

function waiting(
  overrides: Partial<StrictPlan> = {},
  plan: Partial<SpawnPlan> = {},
): StartedProcess {
  const strict = { ...strictPlan, waits: true, ...overrides };
  return startProcess(shell('echo not this', { control: true, strict, ...plan }));
}

t.test(
  'a prepared sandbox executes what a task frame says, whenever it comes',
  { skip },
  async (t) => {
    t.same(await controlled(waiting(), encodeTaskFrame(frame)), {
      stdout: 'b c y\ncontent\n77\n0 1 2 3 ',
      stderr: '',
      status: { kind: 'ended', exitCode: 0 },
    });
  },
);

t.test('a frame of megabytes arrives whole', { skip }, async (t) => {
  const large = { name: 'large', content: Buffer.alloc(3_000_001, 'x') };
  const directory = { bytes: 2 ** 22, inodes: 64 };
  const argv = ['sh', '-c', 'stat -c "%s %a %u" large; tr -d x <large | wc -c'];
  const { stdout } = await controlled(
    waiting({ directory }),
    encodeTaskFrame({ ...frame, argv, files: [large] }),
  );
  t.equal(stdout, `3000001 644 ${strictPlan.uid}\n0\n`);
});

t.test(
  'no frame, half of one, and one that no file can be of: not started',
  { skip },
  async (t) => {
    const whole = encodeTaskFrame(frame);
    const outside = { ...frame, files: [{ name: '../x', content: Buffer.of() }] };
    for (const bytes of [Buffer.of(), whole.subarray(0, -1), encodeTaskFrame(outside)]) {
      t.same((await controlled(waiting(), bytes)).status, {
        ...{ kind: 'failed', step: 'task', errno: 22, detail: '' },
      });
    }
    const missing = await controlled(waiting({}, { file: '/no/such' }), whole);
    t.match(missing.status, { kind: 'failed', step: 'execve', errno: 2, detail: '/no/such' });
  },
);

const reader = `
import os, sys
data = b''
while chunk := os.read(3, 65536): data += chunk
os.close(3)
print(len(data), sorted(int(fd) for fd in os.listdir('/proc/self/fd')), os.getpid())`;

t.test('a script reads the control pipe as 3 until its end', { skip }, async (t) => {
  const plan = { file: python, argv: [python, '-c', reader], control: true };
  const inside = startProcess(shell('', { ...plan, strict: strictPlan }));
  const { stdout, status } = await controlled(inside, Buffer.alloc(200_000));
  t.equal(stdout, '200000 [0, 1, 2, 3] 2\n');
  t.same(status, { kind: 'ended', exitCode: 0 });
});

t.test('so does one without a sandbox', async (t) => {
  const {
    pid,
    pidfd,
    stdout,
    stderr,
    control = -1,
  } = startProcess(shell('', { file: python, argv: [python, '-c', reader], control: true }));
  writeSync(control, 'text');
  closeSync(control);
  t.equal(await drained(stdout), `4 [0, 1, 2, 3] ${pid}\n`);
  for (const fd of [pidfd, stderr]) closeSync(fd);
  t.equal((await ended(pid)).exitCode, 0);
});

t.test('a process started without it has no descriptor 3', async (t) => {
  const { stdout } = await run(shell('(exec 4<&3) 2>/dev/null || echo none'));
  t.equal(stdout, 'none\n');
});

t.test(
  'what a script leaves running is ended with it, and its end is told',
  { skip },
  async (t) => {
    const argv = ['sh', '-c', 'setsid sleep 1000 >/dev/null & echo $!; exit 3'];
    const { status } = await controlled(waiting(), encodeTaskFrame({ ...frame, argv }));
    t.same(status, { kind: 'ended', exitCode: 3 });
  },
);

t.test(
  'a prepared sandbox that is not used is ended by its pid, and leaves nothing',
  { skip },
  async (t) => {
    const before = openDescriptors();
    const { pid, pidfd, stdout, stderr, status = -1, control = -1 } = waiting();
    process.kill(pid, 'SIGKILL');
    await gone(pid);
    await ended(pid);
    for (const fd of [pidfd, stdout, stderr, status, control]) closeSync(fd);
    t.same(openDescriptors(), before);
    t.same(children(), []);
  },
);
