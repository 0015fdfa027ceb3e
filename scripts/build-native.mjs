// Builds the two addons (epoll, sandbox), scriptd-init and libscriptd_sandbox.so with node-gyp, unless
// usable binaries are already there.
//
//   node scripts/build-native.mjs            install step: a prebuilt binary is used if one fits
//   node scripts/build-native.mjs --force    always compiles
//
// node-gyp downloads node's headers. Where they are installed beside the running node
// (PREFIX/include/node/node_api.h) that PREFIX is passed as --nodedir, so that the build needs no
// network. A --nodedir of the user's own (npm_config_nodedir) is left alone.
import { spawnSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const addons = ['epoll', 'sandbox'];

/** The prefix whose include/node belongs to the node that runs this, or undefined. */
export function headersPrefix(executable = process.execPath) {
  for (const path of new Set([executable, realpathSync(executable)])) {
    const prefix = dirname(dirname(path));
    if (existsSync(join(prefix, 'include', 'node', 'node_api.h'))) return prefix;
  }
  return undefined;
}

/** True when every addon has a prebuilt binary that this node can load, and the rest is there. */
export function prebuiltUsable() {
  const resolve = require('node-gyp-build').resolve;
  const folder = `${process.platform}-${process.arch}`;
  const beside = ['scriptd-init', 'libscriptd_sandbox.so'];
  const prebuilds = join(root, 'native', 'sandbox', 'prebuilds', folder);
  if (!beside.every((name) => existsSync(join(prebuilds, name)))) return false;
  return addons.every((name) => {
    if (!existsSync(join(root, 'native', name, 'prebuilds'))) return false;
    try {
      require(resolve(join(root, 'native', name)));
      return true;
    } catch (error) {
      console.error(`scriptd: prebuilt ${name} cannot be used, compiling: ${error.message}`);
      return false;
    }
  });
}

function compile() {
  const gyp = require.resolve('node-gyp/bin/node-gyp.js');
  const prefix = process.env.npm_config_nodedir ? undefined : headersPrefix();
  const args = [gyp, 'rebuild', ...(prefix ? [`--nodedir=${prefix}`] : [])];
  const { status, signal, error } = spawnSync(process.execPath, args, {
    cwd: root,
    stdio: 'inherit',
  });
  if (error) throw error;
  if (status !== 0) {
    console.error(
      `scriptd: the native addons did not build (node-gyp ended with ${signal ?? status}). ` +
        'They need a C++20 compiler (g++ 11 or clang 14), make and python3.',
    );
    process.exit(1);
  }
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--force') || !prebuiltUsable()) compile();
}
