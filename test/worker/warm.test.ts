import { readFileSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import type { Result } from '../../src/task.js';
import { ReadyCount } from '../../src/worker/warm/ready-count.js';
import { lackingForStrict } from './strict-host.js';
import { children, eventually, openDescriptors, type Rig, startRig } from './test-worker.js';

const skip = lackingForStrict();
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
const out = (result: Result) => `${text(result.stdout)}${text(result.stderr)}`;

/** Until processes are ready, so that the next run gets one of them. */
const ready = (rig: Rig, count = 1) => eventually(() => rig.worker.stats().ready >= count);

t.test('demand: as many as were wanted at once lately, at least one', async (t) => {
  const demand = new ReadyCount(4, 0);
  t.equal(demand.ready(0), 1);
  demand.wanted(3, 1_000);
  t.equal(demand.ready(1_000), 3);
  demand.wanted(9, 2_000);
  t.equal(demand.ready(2_000), 4, 'never more than there is room for');
  demand.wanted(1, 31_000);
  t.equal(demand.ready(31_000), 4, 'a burst is remembered for a while');
  demand.wanted(1, 62_000);
  t.equal(demand.ready(62_000), 1, 'and then forgotten');
  demand.wanted(3, 62_001);
  t.equal(demand.ready(95_000), 1, 'nobody has come for long');
});

for (const isolation of ['strict', 'none'] as const) {
  t.test(
    `${isolation}: nothing of one run is visible to the next`,
    { skip: isolation === 'strict' && skip },
    async (t) => {
      // Where nothing keeps it from the host's.
      t.teardown(() => rmSync(`/tmp/left-${process.pid}`, { force: true }));
      const rig = await startRig(t, 'python', { isolation, slots: 1 });
      const { controller } = rig;
      await controller.run({ code: '' });
      await ready(rig);
      const leave = `
import builtins, json, os, random, sys, tempfile
builtins.left = json.left = os.environ['LEFT'] = 'behind'
open('/tmp/left-${process.pid}', 'w'); open('left', 'w')
random.seed(7)
sys.path.append('/left'); sys.argv.append('left'); sys.modules['left'] = json`;
      t.match(await controller.run({ code: leave }), { outcome: 'success' });
      await ready(rig);
      const look = `
import builtins, json, os, random, sys
print([hasattr(builtins, 'left'), hasattr(json, 'left'), 'LEFT' in os.environ, os.path.exists('left'),
  os.path.exists('/tmp/left-${process.pid}') and ${isolation === 'strict' ? 'True' : 'False'}, '/left' in sys.path, len(sys.argv), 'left' in sys.modules,
  random.random() == 0.32383276483316237])`;
      const seen = await controller.run({ code: look });
      t.equal(out(seen), '[False, False, False, False, False, False, 1, False, False]\n');
      const draw = 'import random, os; print(random.random(), os.urandom(4).hex(), id(object()))';
      await ready(rig);
      const first = out(await controller.run({ code: draw })).split(' ');
      await ready(rig);
      const second = out(await controller.run({ code: draw })).split(' ');
      t.not(first[0], second[0], 'random numbers are not repeated');
      t.not(first[1], second[1]);
    },
  );
}

for (const isolation of ['none', 'basic'] as const) {
  t.test(
    `${isolation}: a script is executed once`,
    { skip: isolation === 'basic' && skip },
    async (t) => {
      const rig = await startRig(t, 'python', { isolation, slots: 1 });
      // What it is started with is the run directory's own: two would be two directories.
      const code = 'import os, sys; print(os.getcwd(), os.getpid()); sys.exit(int(sys.argv[1]))';
      await rig.controller.run({ code: '' });
      const started = () => rig.logged.filter(({ msg }) => String(msg).includes('starting one'));
      for (const exitCode of ['0', '3', '71']) {
        await ready(rig);
        const result = await rig.controller.run({ code, args: [exitCode] });
        t.equal(result.exitCode, Number(exitCode));
        t.match(out(result), /^\S+ \d+\n$/);
      }
      await ready(rig);
      const killed = await rig.controller.run({ code: 'import os; os.kill(os.getpid(), 9)' });
      t.match(killed, { code: 'SIGNALED' });
      t.strictSame(started(), []);
    },
  );
}

t.test('strict', { skip }, async (t) => {
  t.test('a run gets a process that was there before it', async (t) => {
    const rig = await startRig(t, 'python', { isolation: 'strict', slots: 2 });
    await rig.controller.run({ code: '' });
    await ready(rig);
    const age = `
import os, time
ticks = int(open('/proc/self/stat').read().rpartition(')')[2].split()[19])
print(time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf('SC_CLK_TCK') >= 0.3)`;
    // It counts as ready from when it is asked for; the fork comes after that.
    await sleep(1_500);
    t.equal(out(await rig.controller.run({ code: age })), 'True\n');
  });

  t.test('when the fork server is killed, the task in hand and the next ones run', async (t) => {
    const rig = await startRig(t, 'python', { isolation: 'strict', slots: 2 });
    const { controller } = rig;
    await controller.run({ code: '' });
    await ready(rig);
    const server = forkServers();
    t.equal(server.length, 1);
    const inHand = controller.start({ code: 'import time; time.sleep(0.5); print("still here")' });
    await controller.started(inHand);
    process.kill(server[0] ?? 0, 'SIGKILL');
    t.match(out(await controller.result(inHand)), 'still here');
    for (let index = 0; index < 5; index++) {
      t.equal(out(await controller.run({ code: `print(${index})` })), `${index}\n`);
    }
    await eventually(() => forkServers().length === 1 && forkServers()[0] !== server[0]);
    t.equal(out(await controller.run({ code: 'print("again")' })), 'again\n');
  });

  t.test('a prepared process that was killed costs the task nothing', async (t) => {
    const rig = await startRig(t, 'python', { isolation: 'strict', slots: 1 });
    await rig.controller.run({ code: '' });
    await ready(rig);
    const [server] = forkServers();
    const prepared = children().filter((pid) => pid !== server);
    for (const pid of prepared) process.kill(pid, 'SIGKILL');
    const result = await rig.controller.run({ code: 'print("fine")' });
    t.match({ ...result, said: out(result) }, { outcome: 'success', said: 'fine\n' });
  });

  t.test('what a prepared process can not be, is started for the task', async (t) => {
    const rig = await startRig(t, 'python', { isolation: 'strict', slots: 1 });
    const { controller } = rig;
    await controller.run({ code: '' });
    await ready(rig);
    const env = { PYTHONHASHSEED: '1', PYTHONOPTIMIZE: '1', OWN: 'ä' };
    const code = 'import os, sys; print(hash("a"), sys.flags.optimize, os.environ["OWN"])';
    const [first, second] = [
      await controller.run({ code, env }),
      await controller.run({ code, env }),
    ];
    t.match(out(first), / 1 ä\n$/);
    t.equal(out(first), out(second));
    const small = { diskBytes: 1 << 20, files: 3 };
    const full = 'open("a", "wb").write(bytes(2 << 20))';
    t.match(out(await controller.run({ code: full, limits: small })), /No space left|too large/);
  });

  t.test('each has limits of its own', async (t) => {
    const rig = await startRig(t, 'python', { isolation: 'strict', slots: 1 });
    const { controller } = rig;
    const limits = { openFiles: 77, cpuMs: 3_000, processes: 44 };
    const code = `
import resource
print(resource.getrlimit(resource.RLIMIT_NOFILE), resource.getrlimit(resource.RLIMIT_CPU), resource.getrlimit(resource.RLIMIT_CORE))`;
    for (let index = 0; index < 2; index++) {
      t.equal(out(await controller.run({ code, limits })), '(77, 77) (3, 4) (1, 1)\n');
      await ready(rig);
    }
    const eat = 'x = bytearray(64 << 20); print(len(x))';
    t.match(await controller.run({ code: eat, limits: { memoryBytes: 32 << 20 } }), {
      code: 'MEMORY_LIMIT',
    });
    await ready(rig);
    t.equal(out(await controller.run({ code: eat })), `${64 << 20}\n`);
  });

  t.test('fresh address layout where it is asked for', async (t) => {
    const runtime = { aslr: 'fresh' } as const;
    const rig = await startRig(t, 'python', { isolation: 'strict', slots: 1, runtime });
    const code = 'print(open("/proc/self/maps").read().split("-")[0])';
    const seen = new Set<string>();
    for (let index = 0; index < 4; index++) {
      seen.add(out(await rig.controller.run({ code })));
      await ready(rig);
    }
    t.equal(seen.size, 4);
    t.strictSame(forkServers(), []);
  });

  t.test('modules that are to be there are there', async (t) => {
    const runtime = { preload: ['decimal', 'json'] };
    const rig = await startRig(t, 'python', { isolation: 'strict', slots: 1, runtime });
    await rig.controller.run({ code: '' });
    await eventually(() => forkServers().length === 1);
    await ready(rig);
    const code = 'import sys; print("decimal" in sys.modules)';
    await rig.controller.run({ code });
    await ready(rig);
    t.equal(out(await rig.controller.run({ code })), 'True\n');
  });

  t.test('a module that cannot be imported is said, and scripts run without', async (t) => {
    const runtime = { preload: ['no_such_module'] };
    const rig = await startRig(t, 'python', { isolation: 'strict', slots: 1, runtime });
    t.equal(out(await rig.controller.run({ code: 'print(1)' })), '1\n');
    await eventually(() => rig.logged.some(({ said }) => String(said).includes('no_such_module')));
  });

  for (const [type, code] of [
    [
      'node',
      'console.log(process.pid, process.argv.length, require("fs").readdirSync(".").join())',
    ],
    ['bash', 'echo $$ $# $(ls)'],
  ] as const) {
    t.test(`${type} is prepared too`, async (t) => {
      const rig = await startRig(t, type, { isolation: 'strict', slots: 1 });
      for (let index = 0; index < 3; index++) {
        await ready(rig, index === 0 ? 0 : 1);
        const result = await rig.controller.run({ code });
        t.match(out(result), type === 'node' ? /^\d+ 2 script\.js\n$/ : /^\d+ 0 script\.sh\n$/);
      }
    });
  }

  t.test('300 runs leave no descriptor, process or cgroup', async (t) => {
    const rig = await startRig(t, 'python', { isolation: 'strict', slots: 2 });
    const { controller } = rig;
    const run = async (count: number) => {
      for (let index = 0; index < count; index += 2) {
        const pair = [controller.start({ code: 'print(1)' }), controller.start({ code: '1/0' })];
        for (const key of pair) await controller.result(key);
        controller.acknowledge(...pair);
      }
      await ready(rig, 2);
    };
    await run(20);
    await calm();
    const before = { fds: openDescriptors(), children: children().length };
    await run(280);
    await eventually(() => openDescriptors() === before.fds);
    t.equal(children().length, before.children);
  });
});

/** Until what is made ahead, cgroups too, has been made. */
async function calm(): Promise<void> {
  let [before, now] = [-1, openDescriptors()];
  while (now !== before) {
    before = now;
    await sleep(1_000);
    now = openDescriptors();
  }
}

/** Fork servers among the children of this process. */
function forkServers(): number[] {
  return children().filter((pid) => {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
    // What is forked from it has the same words until it has its script.
    return words.includes('--serve') && !isFirstOfNamespace(pid);
  });
}

function isFirstOfNamespace(pid: number): boolean {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return /^NSpid:\s+\d+\s+\d+/m.test(status);
}
