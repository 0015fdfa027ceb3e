import { chmodSync, copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { setBait } from '../../src/selftest/bait.js';
import { hostileRows, runSuite, suiteSlots } from '../../src/selftest/suite.js';
import { lastingTraces, measure } from '../../src/selftest/traces.js';
import { lackingForStrict } from './strict-host.js';
import { startRig, temporaryFolder } from './test-worker.js';

const skip = lackingForStrict();
const said = (result: { stdout: Uint8Array }) => Buffer.from(result.stdout).toString();
/** For what is removed after a result. Milliseconds. */
const settleMsMax = 15_000;
const calmMs = 300;

t.test('hostile scripts, each beside a neighbour', { skip, timeout: 300_000 }, async (t) => {
  const rig = await startRig(t, 'python', { isolation: 'strict', slots: suiteSlots });
  const { controller, worker, folder, workDirectory } = rig;
  const bait = await setBait(folder, join(folder, 'w.sock'), process.pid);
  t.teardown(() => bait.remove());
  const { level } = worker.isolation;
  const suspect = { name: 'python-1', workDirectory, ready: () => worker.stats().ready };
  const run = (task: Parameters<typeof controller.run>[0]) => controller.run(task);
  let rows = 0;
  for await (const { name, verdict, problems } of runSuite({
    ...{ ...suspect, level, preamble: bait.preamble, run },
  })) {
    rows++;
    t.strictSame(problems, [], name);
    t.match(verdict, /^(blocked|contained)$/, `${name}: is run at level strict`);
  }
  t.equal(rows, hostileRows.length);
});

t.test('a thousand tasks leave the host as it was', { skip, timeout: 800_000 }, async (t) => {
  const rig = await startRig(t, 'bash', { isolation: 'strict' });
  const { controller, worker, workDirectory } = rig;
  const suspect = { name: 'bash-1', workDirectory, ready: () => worker.stats().ready };
  const code = 'echo x > file; mkdir folder; (sleep 60 &) ; echo $1';
  const runTwo = (index: number) =>
    Promise.all([index, index + 1].map((number) => controller.run({ code, args: [`${number}`] })));
  await runTwo(0);
  const before = await measure(suspect, calmMs, () =>
    controller.run({ code: 'true', limits: { diskBytes: 1 << 20 } }),
  );
  const wrong: string[] = [];
  for (let index = 0; index < 1000; index += 2) {
    for (const [offset, result] of (await runTwo(index)).entries()) {
      if (said(result) !== `${index + offset}\n`) wrong.push(`${result.reason}`);
    }
  }
  t.strictSame(wrong, []);
  t.strictSame(await lastingTraces(suspect, before, settleMsMax), []);
});

t.test(
  'a program below /tmp runs, and nothing else of the host shows there',
  { skip },
  async (t) => {
    const folder = temporaryFolder(t);
    const program = join(folder, 'sh');
    copyFileSync('/bin/bash', program);
    chmodSync(folder, 0o755);
    writeFileSync(join(folder, '..', `scriptd-seen-${process.pid}`), 'x');
    t.teardown(() => rmSync(join(folder, '..', `scriptd-seen-${process.pid}`)));
    const runtime = { command: [program] };
    const { controller } = await startRig(t, 'below', { isolation: 'strict', runtime });
    const result = await controller.run({ code: 'echo /tmp/* && touch /tmp/mine && echo $0' });
    t.equal(said(result), `${folder}\nscript\n`);
  },
);

t.test('usage is that of all its processes, within a tenth', { skip }, async (t) => {
  const { controller } = await startRig(t, 'python', { isolation: 'strict' });
  const base = (await controller.run({ code: 'pass' })).usage;
  // Half a second of the processor in the script, as much in its child; 100 MiB in each; 3 processes.
  const code = `import os, time
x = bytearray(b"x") * (100 << 20)
busy = lambda: [None for _ in iter(lambda: time.process_time() < 0.5, False)]
if os.fork() == 0:
    y = bytearray(b"y") * (100 << 20)
    busy(); os._exit(0)
if os.fork() == 0: time.sleep(0.2); os._exit(0)
busy(); os.wait(); os.wait(); time.sleep(0.5)
print(time.process_time() + sum(os.times()[2:4]), time.monotonic())`;
  const result = await controller.run({ code });
  t.equal(result.reason, undefined);
  const { usage } = result;
  const within = (value: number, wanted: number) => Math.abs(value - wanted) <= wanted / 10;
  const cpuMs = Number(said(result).split(' ')[0]) * 1000;
  t.ok(within(usage?.cpuMs ?? 0, cpuMs), `${usage?.cpuMs} ms of ${cpuMs}`);
  const memory = ((usage?.memoryPeakBytes ?? 0) - (base?.memoryPeakBytes ?? 0)) / (1 << 20);
  t.ok(within(memory, 200), `${memory} MiB of 200`);
  t.equal((usage?.processesPeak ?? 0) - (base?.processesPeak ?? 0), 2, 'two children');
  t.ok((usage?.wallMs ?? 0) > 1000, 'it slept for half a second after half a second of work');
});
