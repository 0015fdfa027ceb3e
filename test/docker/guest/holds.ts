import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import t from 'tap';
import { packageRoot } from '../../../src/native.js';
import { Service } from '../../cli/service.js';

/**
 * In a container: that scriptd runs at the level LEVEL there, that this is the strongest, and that a
 * script gets at nothing that is not its own. For `test/docker/levels`.
 */

const level = process.env.LEVEL ?? '';
if (level !== 'basic' && level !== 'strict') throw new Error('LEVEL is basic or strict');

const scriptd = (args: readonly string[]) =>
  spawnSync(join(packageRoot, 'bin', 'scriptd'), args, {
    ...{ encoding: 'utf8', timeout: 60_000 },
    env: { PATH: process.env.PATH },
  });

t.test(`--isolation ${level}: what a script finds`, async (t) => {
  const workers = ['--workers', 'python=2,node=1,bash=1'];
  const service = await Service.start(t, ['--isolation', level, ...workers]);
  const secret = join(service.dataDir, 'secret');
  writeFileSync(secret, 'secret', { mode: 0o644 });
  const site = createServer((_request, response) => response.end('reached'));
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  t.teardown(() => site.close());
  const run = async (code: string, type = 'python') => {
    const { status, body } = await service.execute(code, `?type=${type}`);
    return `${status} ${body}`;
  };

  t.equal(await run('import json, ssl, sqlite3; print(6 * 7)'), '200 42\n');
  t.equal(await run('console.log(6 * 7)', 'node'), '200 42\n');
  t.equal(await run('echo $((6 * 7))', 'bash'), '200 42\n');

  // Not from /proc/self/status, which basic does not let a script read. See prctl(2).
  const identity = `import ctypes, os
prctl = ctypes.CDLL(None).prctl
bounding = [number for number in range(41) if prctl(23, number, 0, 0, 0) == 1]
open("mine", "w")
try: os.chown("mine", 1, 1); gained = True
except PermissionError: gained = False
print(bounding, gained, prctl(39, 0, 0, 0, 0), prctl(21, 0, 0, 0, 0), os.getuid() > 1000)`;
  t.equal(await run(identity), '200 [] False 1 2 True\n');
  const readable = `import glob, os
own = f"/proc/{os.getpid()}/"
paths = glob.glob("/proc/[0-9]*/environ") + ["/etc/shadow", ${JSON.stringify(secret)}]
found = []
for path in paths:
    if path.startswith(own): continue
    try:
        if open(path, "rb").read(1): found.append(path)
    except OSError: pass
print(found)`;
  t.equal(await run(readable), '200 []\n', 'what belongs to others cannot be read');

  const writable = `import os
through = []
for folder in ["/", "/etc", "/usr/bin", "/opt/scriptd", "/root", "/var", "/sys/fs/cgroup"]:
    try:
        open(folder + "/x", "w"); through.append(folder)
    except OSError: pass
for path in ["/proc/self/oom_score_adj", "/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger"]:
    try:
        open(path, "w").write("0" if "oom" not in path else "-999"); through.append(path)
    except OSError: pass
print(through)`;
  t.equal(await run(writable), '200 []\n', 'nor written');

  const calls = `import ctypes
libc = ctypes.CDLL(None, use_errno=True)
calls = dict(unshare=(272, 0x10000000), mount=(165, b"a", b"/tmp", b"tmpfs", 0, None), ptrace=(101, 0, 0, 0, 0),
    keyctl=(250, 0, 0), bpf=(321, 0, None, 0), setuid=(105, 0), perf=(298, None, 0, -1, -1, 0), userfaultfd=(323, 0))
print([name for name, call in calls.items() if libc.syscall(*call) != -1])`;
  t.equal(await run(calls), '200 []\n', 'system calls that a script has no use for');

  const kill = `import os
for pid in [-1, 1] + [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]:
    try: os.kill(pid, 9)
    except OSError: pass
print("alive")`;
  const parts = ['worker', 'controller', 'http'].map((part) => service.partPid(part));
  await run(kill);
  t.equal(await run('print("next")'), '200 next\n', 'nobody else is hit by its signals');
  t.same(
    ['worker', 'controller', 'http'].map((part) => service.partPid(part)),
    parts,
  );

  const { json } = await service.request('GET', '/v1/workers');
  const levels = (json.workers as { isolation: { level: string } }[]).map(
    (worker) => worker.isolation.level,
  );
  t.same(levels, [level, level, level], 'and the workers say so');
  t.same(await service.stop(), { code: 0, signal: null });
  t.same(service.processes(), []);
});

t.test('auto takes that level', async (t) => {
  const service = await Service.start(t, ['--isolation', 'auto', '--workers', 'python=1']);
  const { json } = await service.request('GET', '/v1/workers');
  t.match(json.workers, [{ isolation: { level } }]);
});

t.test('strict is refused where it cannot be had', { skip: level === 'strict' }, async (t) => {
  const refused = scriptd(['up', '--isolation', 'strict', '--port', '0', '--debug-port', '0']);
  t.equal(refused.status, 78);
  t.match(refused.stderr, /ISOLATION_UNAVAILABLE/);
  t.match(refused.stderr, /--cap-add SYS_ADMIN --security-opt seccomp=unconfined/);
});
