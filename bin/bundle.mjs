// Loads the program as one file with its compiled code (made by scripts/bundle.mjs), which takes a
// tenth of the time that its 1,500 modules take.
import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';

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
 * @returns {{ script: Script, load: () => { main: (args: string[]) => Promise<void> } } | undefined}
 */
export function bundleFor(command) {
  const madeMs = modifiedMs(file);
  if (process.sourceMapsEnabled || madeMs === undefined) return undefined;
  if ((modifiedMs(join(dist, '.tsbuildinfo')) ?? 0) > madeMs) return undefined;
  // ASCII, as esbuild writes it. V8 refuses code of another version or source, and compiles anew.
  const source = readFileSync(file, 'latin1');
  const code = codeFileOf(command);
  const script = new Script(`(function (module, exports, require, __filename, importModule) {${source}\n})`, {
    filename: file,
    cachedData: modifiedMs(code) === undefined ? undefined : readFileSync(code),
  });
  const load = () => {
    const module = { exports: {} };
    const run = script.runInThisContext();
    run(module, module.exports, createRequire(file), file, (name) => import(name));
    return module.exports;
  };
  return { script, load };
}

function modifiedMs(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}
