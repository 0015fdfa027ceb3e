import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { packageRoot } from '../../src/native.js';

function doctor(args: readonly string[], env: Record<string, string> = {}) {
  const clean = ['-u', 'NODE_OPTIONS', join(packageRoot, 'bin', 'scriptd'), 'doctor', ...args];
  return spawnSync('env', clean, { encoding: 'utf8', env: { ...process.env, ...env } });
}

interface Diagnosis {
  level: 'none' | 'basic' | 'strict';
  met: boolean;
  layers: { name: string; available: boolean; detail: string; cure?: string }[];
  runtimes: { type: string; file?: string; missing?: string }[];
}

t.test('doctor --json names every layer, the level, and where each type lives', async (t) => {
  const { stdout, status } = doctor(['--json', '--isolation', 'auto', '--workers', 'bash=1']);
  t.equal(status, 0, 'auto is met by any host');
  const { level, layers, runtimes } = JSON.parse(stdout) as Diagnosis;
  const names = layers.map(({ name }) => name);
  for (const name of ['start', 'pid', 'network', 'root', 'identity', 'seccomp', 'cgroup']) {
    t.ok(names.includes(name), name);
  }
  for (const { name, available, detail } of layers) {
    t.not(detail, '', `${name} says what there is, or why not`);
    if (level === 'strict') t.ok(available, name);
  }
  t.match(runtimes, [{ type: 'bash', file: /^\/.*bash$/ }]);
});

t.test('the exit code says whether the floor is met', async (t) => {
  const { level } = JSON.parse(doctor(['--json']).stdout) as Diagnosis;
  t.equal(doctor(['--isolation', 'none']).status, 0);
  const strict = doctor([]);
  t.equal(strict.status, level === 'strict' ? 0 : 78);
  t.match(strict.stdout, `this host can do: ${level}`);
  t.notMatch(strict.stdout, '\x1b[', 'no colour but on a terminal');
});

t.test('a type that cannot be executed is named with its cure', async (t) => {
  const { stdout } = doctor(['--json', '--workers', 'nosuchtype=1', '--isolation', 'none']);
  const { runtimes } = JSON.parse(stdout) as Diagnosis;
  t.match(runtimes, [{ type: 'nosuchtype', missing: /nosuchtype.*command/ }]);
});

t.test('an ordinary user without cgroups is told of them', async (t) => {
  if (process.getuid?.() !== 0) {
    t.pass('this one is an ordinary user');
    return;
  }
  const program = join(packageRoot, 'bin', 'scriptd');
  const ids = ['--reuid', '65534', '--regid', '65534', '--clear-groups'];
  const args = [...ids, 'env', '-u', 'NODE_OPTIONS', 'HOME=/tmp', process.execPath, program];
  const { stdout, status, stderr } = spawnSync('setpriv', [...args, 'doctor', '--json'], {
    encoding: 'utf8',
    cwd: '/',
  });
  // A checkout below somebody's home is not theirs to read.
  if (/EACCES|MODULE_NOT_FOUND/.test(stderr)) {
    t.pass('it may not read this checkout');
    return;
  }
  t.equal(status, 78);
  const { layers, level } = JSON.parse(stdout) as Diagnosis;
  t.not(level, 'strict');
  const missing = layers.filter(({ available }) => !available);
  t.ok(
    missing.some(({ name, cure }) => name === 'cgroup' && /Delegate|SYS_ADMIN/.test(cure ?? '')),
  );
});
