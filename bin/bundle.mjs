// Loads the program as one file with its compiled code (made by scripts/bundle.mjs), which takes a
// tenth of the time that its 1,500 modules take.
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';
import { crc32 } from 'node:zlib';

const dist = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist');
const file = join(dist, 'bundle', 'scriptd.cjs');
/** Commands that have a file of compiled code of their own; the others share one. */
const parts = new Set(['up', 'controller', 'http', 'worker']);

/**
 * @param {string | undefined} command the first argument; without a command, `up` is meant
 * @returns where the code that V8 compiled for this command is
 */
export function codeFileOf(command = 'up') {
  return `${file}.${parts.has(command) ? command : 'command'}.code`;
}

/**
 * The bundle, for a command; undefined when the single modules are to be loaded: there is none, what
 * the compiler wrote is newer, or stack traces are to show the lines of the source.
 *
 * @param {string | undefined} command
 * @returns {{
 *   script: Script,
 *   load: () => { main: (args: string[]) => Promise<void> },
 *   keepCode: () => void,
 * } | undefined} `keepCode` writes what V8 has compiled so far, for the next start
 */
export function bundleFor(command) {
  const madeMs = modifiedMs(file);
  if (process.sourceMapsEnabled || madeMs === undefined) return undefined;
  if ((modifiedMs(join(dist, '.tsbuildinfo')) ?? 0) > madeMs) return undefined;
  const bytes = readFileSync(file);
  const code = codeFileOf(command);
  // ASCII, as esbuild writes it.
  const source = bytes.toString('latin1');
  const names = 'module, exports, require, __filename, importModule';
  const script = new Script(`(function (${names}) {${source}
})`, {
    filename: file,
    cachedData: codeOf(bytes, code),
  });
  const load = () => {
    const module = { exports: {} };
    const run = script.runInThisContext();
    run(module, module.exports, createRequire(file), file, (name) => import(name));
    return module.exports;
  };
  const keepCode = () =>
    writeFileSync(code, Buffer.concat([script.createCachedData(), checksum(bytes)]));
  return { script, load, keepCode };
}

/**
 * What was compiled for these bytes. V8 refuses code of another version of its own, but knows a source
 * by its length alone: so a checksum of it stands at the end.
 */
function codeOf(bytes, path) {
  if (modifiedMs(path) === undefined) return undefined;
  const kept = readFileSync(path);
  const code = kept.subarray(0, -checksumBytes);
  return kept.subarray(-checksumBytes).equals(checksum(bytes)) ? code : undefined;
}

const checksumBytes = 4;

function checksum(bytes) {
  const sum = Buffer.alloc(checksumBytes);
  sum.writeUInt32LE(crc32(bytes));
  return sum;
}

function modifiedMs(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}
