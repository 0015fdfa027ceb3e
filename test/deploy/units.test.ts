import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { packageRoot } from '../../src/native.js';
import { unitFiles } from '../../src/systemd/unit-files.js';

const source = join(packageRoot, 'deploy', 'systemd');
const read = (path: string) => readFileSync(path, 'utf8');

function emptyRoot(t: Test): string {
  const root = mkdtempSync(join(tmpdir(), 'scriptd-units-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  return root;
}

function install(root: string, ...more: string[]) {
  const command = [join(packageRoot, 'bin', 'scriptd'), 'install-units', '--root', root, ...more];
  return spawnSync('env', ['-u', 'NODE_OPTIONS', ...command], { encoding: 'utf8' });
}

t.test('each file of deploy/systemd is installed one way or the other', (t) => {
  const installed = [false, true].flatMap(unitFiles).map(({ source }) => source);
  t.same([...new Set(installed)].sort(), readdirSync(source).sort());
  t.end();
});

t.test('the unit starts this installation', (t) => {
  const root = emptyRoot(t);
  const { status, stdout } = install(root);
  t.equal(status, 0);
  t.match(stdout, /systemctl enable --now scriptd.service/);
  const units = readdirSync(join(root, 'etc/systemd/system'));
  t.same(units, ['scriptd.service']);
  const unit = read(join(root, 'etc/systemd/system/scriptd.service'));
  const start = `ExecStart=${process.execPath} ${packageRoot}/bin/scriptd up\n`;
  t.ok(unit.includes(start), unit);
  t.end();
});

t.test('settings that are there stay as they are', (t) => {
  const root = emptyRoot(t);
  install(root, '--separate');
  const settings = join(root, 'etc/scriptd/worker-python.env');
  writeFileSync(settings, 'SCRIPTD_SLOTS=64\n');
  const { stdout } = install(root, '--separate');
  t.match(stdout, `kept       ${settings}`);
  t.equal(read(settings), 'SCRIPTD_SLOTS=64\n');
  t.end();
});

t.test('no two workers have the same user ids', (t) => {
  const first = readdirSync(source)
    .filter((name) => name.endsWith('.env'))
    .map((name) => Number(/SCRIPTD_FIRST_SCRIPT_ID=(\d+)/.exec(read(join(source, name)))?.[1]))
    .sort();
  t.ok(first.length > 1);
  for (const [index, id] of first.entries())
    t.ok(index === 0 || id - (first[index - 1] ?? id) >= 16_384);
  t.end();
});

t.test('what runs scripts is confined like the rest, but for what the sandbox is made of', (t) => {
  const confining = (name: string) =>
    read(join(source, name))
      .split('\n')
      .filter((line) => /^(Protect|Private|Restrict|NoNew|Lock|CapabilityB|RemoveIPC)/.test(line));
  const all = confining('scriptd-http.service');
  t.same(confining('scriptd-controller.service'), all);
  const worker = confining('scriptd-worker@.service');
  t.same(confining('scriptd.service'), worker);
  const spared = ['ProtectControlGroups=yes', 'ProtectHostname=yes', 'RestrictNamespaces=yes'];
  t.same(
    all.filter((line) => !worker.includes(line)),
    spared,
  );
  t.same(
    worker.filter((line) => !all.includes(line)),
    [],
  );
  t.end();
});
