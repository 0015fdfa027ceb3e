// Makes what test/http/schemathesis.test.ts drives the service with: schemathesis from PyPI, in a
// Python environment of its own. Needs python3 with venv.
//
//   node test/http/programs/build.mjs
//
// It goes to $XDG_CACHE_HOME/scriptd-test/schemathesis, and is made once for each requirements.txt.

import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

const requirements = join(import.meta.dirname, 'requirements.txt');
const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
const target = join(cache, 'scriptd-test', 'schemathesis');
/** Written last: what is there is whole, and of these requirements. */
const stamp = join(target, 'requirements.txt');
const text = (file) => readFileSync(file, 'utf8');

if (!existsSync(stamp) || text(stamp) !== text(requirements)) {
  mkdirSync(dirname(target), { recursive: true });
  run('python3', ['-m', 'venv', '--clear', target]);
  const quietly = ['--quiet', '--disable-pip-version-check', '--no-input'];
  run(join(target, 'bin', 'pip'), ['install', ...quietly, '-r', requirements]);
  copyFileSync(requirements, stamp);
}
console.log(`there in ${target}`);

function run(file, args) {
  const { status, error } = spawnSync(file, args, { stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) throw new Error(`${file} ${args[0]} failed with ${status}`);
}
