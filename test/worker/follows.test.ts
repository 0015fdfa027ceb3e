import { existsSync, writeFileSync } from 'node:fs';
import { mock } from 'node:test';
import t, { type Test } from 'tap';
import { limits } from '../../src/limits.js';
import type { MessageOf } from '../../src/wire/messages.js';
import { Follows } from '../../src/worker/follows.js';
import { workerLimits } from '../../src/worker/limits.js';
import { attemptKey } from '../../src/worker/queue.js';
import { lackingForStrict } from './strict-host.js';
import type { TestController } from './test-controller.js';
import { eventually, startRig } from './test-worker.js';

type Key = { taskId: string; attempt: number };

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

let lastFollowId = 0;

/** Asks once for what comes after these offsets. */
function follow(controller: TestController, key: Key, stdoutOffset = 0, stderrOffset = 0): number {
  const followId = ++lastFollowId;
  const offsets = { stdoutOffset, stderrOffset };
  controller.receiver?.send({ kind: 'follow', followId, ...key, ...offsets });
  return followId;
}

async function outputOf(
  controller: TestController,
  followId: number,
): Promise<MessageOf<'output'>> {
  const isIt = (output: MessageOf<'output'>) => output.followId === followId;
  await controller.until(() => controller.all('output').some(isIt));
  return controller.all('output').find(isIt) as MessageOf<'output'>;
}

const next = (controller: TestController, key: Key, stdoutOffset = 0, stderrOffset = 0) =>
  outputOf(controller, follow(controller, key, stdoutOffset, stderrOffset));

/** Until the worker has all follows that were sent before: it answers this one at once. */
const arrived = (controller: TestController, key: Key) => next(controller, key);

/** Waits until the test has made that file. */
const waitFor = (path: string) => `while [ ! -e ${path} ]; do sleep 0.01; done`;

t.test('what a script writes is told while it runs, once for each follow', async (t) => {
  const { controller, folder } = await startRig(t, 'bash');
  const code = `echo one; echo oops >&2; ${waitFor(`${folder}/go`)}; echo two`;
  const key = controller.start({ code });
  let [stdout, stderr] = ['', ''];
  while (stdout !== 'one\n' || stderr !== 'oops\n') {
    const output = await next(controller, key, stdout.length, stderr.length);
    stdout += text(output.stdout);
    stderr += text(output.stderr);
  }
  const told = controller.all('output').length;
  const last = follow(controller, key, stdout.length, stderr.length);
  await arrived(controller, key);
  writeFileSync(`${folder}/go`, '');
  t.equal(text((await outputOf(controller, last)).stdout), 'two\n');
  t.match(await controller.result(key), { outcome: 'success' });
  t.equal(controller.all('output').length, told + 2);
  const kinds = controller.messages.map(({ kind }) => kind);
  t.ok(kinds.lastIndexOf('output') < kinds.indexOf('result'), 'the last of it before the result');
});

t.test('of what nobody follows nothing is sent', async (t) => {
  const { controller, folder } = await startRig(t, 'bash');
  const code = `for i in $(seq 50); do echo $i; done; touch ${folder}/wrote; ${waitFor(`${folder}/go`)}`;
  const unseen = controller.start({ code });
  await eventually(() => existsSync(`${folder}/wrote`));
  // One that is followed beside it, and one whose follow is spent.
  const key = controller.start({ code: 'echo seen; sleep 60' });
  t.equal(text((await next(controller, key)).stdout), 'seen\n');
  controller.cancel(key);
  writeFileSync(`${folder}/go`, '');
  await controller.result(key);
  await controller.result(unseen);
  const kinds = controller.messages.map(({ kind }) => kind).filter((kind) => kind !== 'vitals');
  t.same(kinds.sort(), ['inventory', 'output', 'result', 'result', 'started', 'started']);
});

t.test('any offset can be asked for, and a large output comes in full messages', async (t) => {
  const { controller, folder } = await startRig(t, 'bash');
  const size = 3 * limits.liveBytesMax;
  const code = `head -c ${size} /dev/zero | tr '\\0' x; touch ${folder}/wrote; sleep 60`;
  const key = controller.start({ code });
  await eventually(() => existsSync(`${folder}/wrote`));
  for (const offset of [0, 0, 5, size - 7]) {
    const { stdout } = await next(controller, key, offset);
    const expected = Math.min(limits.liveBytesMax, size - offset);
    t.equal(text(stdout), 'x'.repeat(expected), `from ${offset}`);
  }
  const beyond = follow(controller, key, size + 1_000);
  controller.cancel(key);
  await controller.result(key);
  t.notOk(controller.all('output').some(({ followId }) => followId === beyond));
});

t.test(
  'a follow may overtake its attempt, and one that is taken back is not answered',
  async (t) => {
    const { controller } = await startRig(t, 'bash', { slots: 1 });
    const key = { taskId: '01890a5d-ac96-774b-bcce-b302099a8057', attempt: 1 };
    const kept = follow(controller, key);
    const taken = follow(controller, key);
    controller.receiver?.send({ kind: 'unfollow', followId: taken });
    controller.receiver?.send({ kind: 'unfollow', followId: 1_000_000 });
    controller.start({ code: 'echo here', ...key });
    t.equal(text((await outputOf(controller, kept)).stdout), 'here\n');
    await controller.result(key);
    t.equal(controller.all('output').length, 1);
  },
);

t.test('who connects anew follows anew', async (t) => {
  const { controller, folder } = await startRig(t, 'bash');
  const key = controller.start({ code: `${waitFor(`${folder}/go`)}; echo late; sleep 60` });
  const lost = follow(controller, key);
  await controller.started(key);
  controller.disconnect();
  await controller.until(() => controller.closings.length === 2);
  await controller.connect();
  await controller.until(() => controller.all('inventory').length === 2);
  const kept = follow(controller, key);
  writeFileSync(`${folder}/go`, '');
  t.equal(text((await outputOf(controller, kept)).stdout), 'late\n');
  controller.cancel(key);
  await controller.result(key);
  t.notOk(controller.all('output').some(({ followId }) => followId === lost));
});

t.test('a character that has not come whole waits for the rest of it', async (t) => {
  const { controller, folder } = await startRig(t, 'bash');
  const code = `printf 'x\\303'; ${waitFor(`${folder}/go`)}; printf '\\244'`;
  const key = controller.start({ code });
  t.equal(text((await next(controller, key)).stdout), 'x');
  const rest = follow(controller, key, 1);
  await arrived(controller, key);
  writeFileSync(`${folder}/go`, '');
  t.equal(text((await outputOf(controller, rest)).stdout), 'ä');
  await controller.result(key);
});

t.test('the output of a checker script is not that of the script', async (t) => {
  const { controller, folder } = await startRig(t, 'bash');
  const checker = `echo judged; touch ${folder}/checks; ${waitFor(`${folder}/go`)}`;
  const key = controller.start({ code: 'echo mine', check: { script: { code: checker } } });
  await eventually(() => existsSync(`${folder}/checks`));
  t.equal(text((await next(controller, key)).stdout), 'mine\n', 'while it is checked');
  const more = follow(controller, key, 5);
  await arrived(controller, key);
  writeFileSync(`${folder}/go`, '');
  t.match(await controller.result(key), { outcome: 'success' });
  t.notOk(controller.all('output').some(({ followId }) => followId === more));
});

t.test('beyond its limit an output is told as its result has it', async (t) => {
  const { controller } = await startRig(t, 'bash');
  // The limit cuts a character in two.
  const key = controller.start({ code: 'printf ää; printf äääää', limits: { outputBytes: 7 } });
  const parts: Uint8Array[] = [];
  const length = () => Buffer.concat(parts).length;
  while (controller.resultsOf(key).length === 0) {
    const asked = follow(controller, key, length());
    const isIt = (output: MessageOf<'output'>) => output.followId === asked;
    await controller.until(
      () => controller.all('output').some(isIt) || controller.resultsOf(key).length > 0,
    );
    parts.push(
      ...controller
        .all('output')
        .filter(isIt)
        .map(({ stdout }) => stdout),
    );
  }
  const { stdout, truncated } = await controller.result(key);
  t.equal(truncated.stdout, true);
  t.equal(text(Buffer.concat(parts)), text(stdout.subarray(0, length())));
  t.ok(length() > 0, 'the first was there before the attempt could end');
});

t.test('while the controller is behind nothing is sent, and nothing is lost', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  const sent: string[] = [];
  let isBehind = true;
  const key = { taskId: '01890a5d-ac96-774b-bcce-b302099a8057', attempt: 1 };
  const outputs = { stdout: Buffer.from('a'), stderr: Buffer.alloc(0) };
  const follows = new Follows({
    outputsOf: () => outputs,
    send: ({ stdout }) => {
      if (!isBehind) sent.push(text(stdout));
      return !isBehind;
    },
  });
  follows.add({ kind: 'follow', followId: 1, ...key, stdoutOffset: 0, stderrOffset: 0 });
  for (let time = 0; time < 3; time++) mock.timers.tick(workerLimits.coalesceMs);
  t.same(sent, []);
  t.equal(follows.size, 1);
  isBehind = false;
  outputs.stdout = Buffer.from('ab');
  mock.timers.tick(workerLimits.coalesceMs);
  t.same(sent, ['ab']);
  follows.wrote(attemptKey(key));
  mock.timers.tick(workerLimits.coalesceMs);
  t.same(sent, ['ab'], 'it is spent');
  t.equal(follows.size, 0);
});

/** Sees a line of a script that only then is told to end. */
async function seesLine(t: Test, controller: TestController, env?: Record<string, string>) {
  const code = 'import time\nprint("a line")\ntime.sleep(60)';
  const key = controller.start({ code, ...(env && { env }) });
  // Python may write it in two parts.
  let line = '';
  while (!line.endsWith('\n')) line += text((await next(controller, key, line.length)).stdout);
  t.equal(line, 'a line\n');
  controller.cancel(key);
  t.match(await controller.result(key), { outcome: 'cancelled' });
}

for (const isolation of ['none', 'basic', 'strict'] as const) {
  const skip = isolation === 'strict' ? lackingForStrict() : false;
  t.test(
    `Python at ${isolation}, prepared or not: a line that is printed is there`,
    { skip },
    async (t) => {
      const { controller, worker } = await startRig(t, 'python', { isolation });
      await controller.run({ code: '' });
      await eventually(() => worker.stats().ready > 0);
      await seesLine(t, controller);
      // Wanted at the interpreter's start: it gets a process of its own.
      await seesLine(t, controller, { PYTHONHASHSEED: '1' });
    },
  );
}
