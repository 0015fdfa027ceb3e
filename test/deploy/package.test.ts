import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t from 'tap';
import { packageRoot } from '../../src/native.js';

/** The Debian package, unpacked; it goes with the test. */
function unpack(): string {
  const folder = mkdtempSync(join(tmpdir(), 'scriptd-package-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const script = join(packageRoot, 'scripts', 'deb.mjs');
  execFileSync('env', ['-u', 'NODE_OPTIONS', process.execPath, script, folder]);
  const [name = ''] = readdirSync(folder);
  execFileSync('dpkg-deb', ['--raw-extract', join(folder, name), join(folder, 'root')]);
  return join(folder, 'root');
}

const unpacked = unpack();

t.test('the Debian package holds all to run a script and to show the page', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'scriptd-package-'));
  const ports = ['--port=0', '--debug-port=0', `--data-dir=${dataDir}`];
  const args = ['up', ...ports, '--workers=python=1', '--log-level=error'];
  const program = join(unpacked, 'usr/bin/scriptd');
  const child = spawn('env', ['-u', 'NODE_OPTIONS', program, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    // Without the packages of this checkout.
    cwd: dataDir,
  });
  t.teardown(async () => {
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
    rmSync(dataDir, { recursive: true });
  });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  const address = /^scriptd ready (\S+)$/.exec(String(line))?.[1];
  const code = encodeURIComponent('import json; print(json.dumps(6 * 7))');
  const answer = await fetch(`${address}/execute?code=${code}`);
  t.equal(await answer.text(), '42\n');
  const page = await (await fetch(String(address), { headers: { accept: 'text/html' } })).text();
  const [, script = ''] = /<script [^>]*src="([^"]+)"/.exec(page) ?? [];
  t.match(await fetch(`${address}${script}`), { status: 200 }, 'and the page, with what it loads');
});

t.test("its control file names what it needs, and the settings as the user's own", (t) => {
  const read = (name: string) => readFileSync(join(unpacked, 'DEBIAN', name), 'utf8');
  t.match(read('control'), /^Depends: .*libc6 .*nodejs \(>= 20\.17\)/m);
  t.match(read('control'), /^Recommends: python3$/m);
  t.match(read('conffiles'), '/etc/scriptd/scriptd.yaml\n');
  t.match(read('conffiles'), '/etc/scriptd/worker-python.env\n');
  t.end();
});
