// Makes the prebuilt binaries that the published package carries, so that installing it needs no
// compiler:
//
//   native/ADDON/prebuilds/PLATFORM-ARCH/node.napi.LIBC.node
//
//   native/sandbox/prebuilds/PLATFORM-ARCH/scriptd-init
//   native/sandbox/prebuilds/PLATFORM-ARCH/libscriptd_sandbox.so
//
// in the layout of node-gyp-build, which src/native.ts loads them with. One binary serves every
// node (Node-API); the names tell the libc apart. prebuildify takes a package for one addon and
// would keep only the first, hence this.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { arch, platform } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const addons = ['epoll', 'sandbox'];
// What node-gyp-build looks at too.
const libc = existsSync('/etc/alpine-release') ? 'musl' : 'glibc';

function run(command, ...args) {
  execFileSync(command, args, { cwd: root, stdio: 'inherit' });
}

run(process.execPath, join('scripts', 'build-native.mjs'), '--force');
for (const addon of addons) {
  const folder = join(root, 'native', addon, 'prebuilds', `${platform()}-${arch()}`);
  const binary = join(folder, `node.napi.${libc}.node`);
  rmSync(folder, { recursive: true, force: true }); // of an earlier name
  mkdirSync(folder, { recursive: true });
  copyFileSync(join(root, 'build', 'Release', `${addon}.node`), binary);
  run('strip', '--strip-all', binary);
  console.log(`scriptd: ${relative(root, binary)}`);
}
// Beside the addon. The first is linked with no libc, the second loaded by an interpreter.
for (const name of ['scriptd-init', 'libscriptd_sandbox.so']) {
  const folder = join(root, 'native', 'sandbox', 'prebuilds', `${platform()}-${arch()}`);
  const file = join(folder, name);
  copyFileSync(join(root, 'build', 'Release', name), file);
  run('strip', '--strip-all', file);
  console.log(`scriptd: ${relative(root, file)}`);
}
