import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { packageRoot } from '../../src/native.js';

/** Of its own: another selftest of this host may be at work. */
const temporary = mkdtempSync(join(tmpdir(), 'scriptd-test-'));
chmodSync(temporary, 0o755);
t.teardown(() => rmSync(temporary, { recursive: true, force: true }));

function selftest(args: readonly string[]) {
  const clean = ['-u', 'NODE_OPTIONS', join(packageRoot, 'bin', 'scriptd'), 'selftest', ...args];
  return spawnSync('env', clean, { encoding: 'utf8', env: { ...process.env, TMPDIR: temporary } });
}

interface Answer {
  isolation: { level: string };
  summary: { blocked: number; contained: number; notPromised: number; gotThrough: number };
  rows: { name: string; verdict: string; problems: string[] }[];
}

// At strict the rows are hostile.test.ts's; what is not promised must not be run at all.
t.test('at level none what is not promised is not run, and is not called blocked', async (t) => {
  const { stdout, status } = selftest(['--json', '--isolation', 'none']);
  const { isolation, summary, rows } = JSON.parse(stdout) as Answer;
  t.equal(isolation.level, 'none');
  t.same(
    rows.filter(({ problems }) => problems.length > 0),
    [],
  );
  t.equal(status, 0);
  t.equal(summary.gotThrough, 0);
  const verdictOf = (part: RegExp) => rows.find(({ name }) => part.test(name))?.verdict;
  t.equal(verdictOf(/kill everybody/), 'not promised');
  t.equal(verdictOf(/sleep for ever/), 'contained');
  t.same(
    readdirSync(temporary).filter((name) => name.startsWith('scriptd-selftest-')),
    [],
    'its folder is gone',
  );
});

t.test('a type that is not Python’s is refused', async (t) => {
  const { status, stderr } = selftest(['--type', 'bash']);
  t.equal(status, 78);
  t.match(stderr, /must name a type of kind python/);
});
