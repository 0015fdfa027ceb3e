'use strict';
const { Console } = require('node:console');
const fs = require('node:fs');
const path = require('node:path');
const { Writable } = require('node:stream');

/** Loaded from node's own binary; a script that uses one finds it ready. */
const commonModules = [
  'assert', 'buffer', 'child_process', 'crypto', 'events', 'fs', 'fs/promises', 'http', 'https',
  'module', 'os', 'path', 'readline', 'stream', 'timers/promises', 'url', 'util', 'zlib',
];

const source = `
const os = require('os');
class Base { constructor(name) { this.name = name; } get title() { return this.name.toUpperCase(); } }
class Derived extends Base { #hidden = 1; reveal() { return this.#hidden; } }
const fibonacci = (n) => (n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2));
function* numbers(count) { for (let i = 0; i < count; i++) yield i; }
const words = 'the quick brown fox'.split(' ');
const objects = words.map((word) => new Derived(word));
const map = new Map(words.map((word, index) => [word, index]));
module.exports = [objects, map, [...numbers(3)], fibonacci(10), JSON.parse(JSON.stringify({ words })),
  \`\${os.EOL}\`, /q(u)/.exec('quick'), { ...{ a: 1 } }, Math.max(1, 2), new Date(0), 1n, null];
try { null.x; } catch (error) { module.exports.push(error); }
`;

/**
 * Does once what a typical script does first: a file is written and loaded as a module, values are
 * formatted. Nothing of it remains.
 *
 * @param {string} script path of the script that is going to be
 */
function rehearse(script) {
  for (const name of commonModules) require(name);
  // Made at the first use, by finding out what the descriptors are.
  void process.stdout;
  void process.stderr;
  const file = path.join(path.dirname(script), '.scriptd-rehearsal.cjs');
  try {
    fs.writeFileSync(file, source);
    const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
    new Console(nowhere).log('%s %d %j', 'text', 1, {}, ...require(file));
  } finally {
    delete require.cache[file];
    fs.rmSync(file, { force: true });
  }
}

module.exports = { rehearse };
