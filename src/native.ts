import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);

/** The folder that holds package.json, whether run from dist/ or from an installed package. */
export const packageRoot = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/**
 * Loads one of the two native addons. Looked for in this order: the folder that SCRIPTD_NATIVE_DIR
 * names (sanitizer builds), a prebuilt binary for this platform (`npm run prebuilds`), the build
 * that `npm install` made.
 *
 * @throws Error when none is there or it cannot be loaded, with the cure in the message.
 */
export function loadAddon(name: 'epoll' | 'sandbox'): unknown {
  const override = process.env.SCRIPTD_NATIVE_DIR;
  if (override) return require(join(override, `${name}.node`));
  const source = join(packageRoot, 'native', name);
  if (existsSync(join(source, 'prebuilds'))) return require('node-gyp-build')(source);
  const built = join(packageRoot, 'build', 'Release', `${name}.node`);
  if (existsSync(built)) return require(built);
  throw new Error(
    `the native addon ${name} is not built: run \`npm rebuild scriptd\` ` +
      `(in a clone: \`npm run compile\`); looked for ${built}`,
  );
}

/**
 * Absolute path of scriptd-init, the first process of every sandbox. Looked for in the same places
 * as the addons.
 *
 * @throws Error when it is in none of them, with the cure in the message.
 */
export function initExecutable(): string {
  init ??= besideAddons('scriptd-init');
  return init;
}

let init: string | undefined;

/**
 * Absolute path of the shared library that a fork server loads (native/sandbox/server). Looked for in
 * the same places.
 *
 * @throws Error when it is in none of them, with the cure in the message.
 */
export function sharedLibrary(): string {
  return besideAddons('libscriptd_sandbox.so');
}

function besideAddons(name: string): string {
  const override = process.env.SCRIPTD_NATIVE_DIR;
  const platform = `${process.platform}-${process.arch}`;
  const places = override
    ? [resolve(override)]
    : [
        join(packageRoot, 'native', 'sandbox', 'prebuilds', platform),
        join(packageRoot, 'build', 'Release'),
      ];
  const files = places.map((place) => join(place, name));
  const found = files.find((file) => existsSync(file));
  if (found !== undefined) return found;
  throw new Error(
    `${name} is not built: run \`npm rebuild scriptd\` ` +
      `(in a clone: \`npm run compile\`); looked for ${files.join(' and ')}`,
  );
}
