'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { decodeTaskFrame } = require('./task-frame.cjs');

const exitFrame = 70;
const exitSetup = 71;
const readBytes = 65536;

/**
 * Waits for the task on `fd`, closes it, and sets up files, environment and arguments.
 *
 * @param {number} fd
 * @returns {{directory: string, script: string, source: string}} the absolute paths of the work
 *   directory and the script, and its text
 */
function receiveTask(fd) {
  const data = readAll(fd);
  fs.closeSync(fd);
  if (data.length === 0) process.reallyExit(0);
  const frame = attempt(exitFrame, 'the task frame is malformed', () => decodeTaskFrame(data));
  return attempt(exitSetup, 'the task cannot be set up', () => setUp(frame));
}

function setUp({ argv, env, files }) {
  for (const file of files) writeFile(file);
  replaceEnvironment(env);
  const directory = process.cwd();
  const script = path.resolve(directory, files[0].name);
  process.argv = [process.argv[0], script, ...argv.slice(1)];
  return { directory, script, source: files[0].content.toString() };
}

function readAll(fd) {
  const chunks = [];
  for (;;) {
    const chunk = Buffer.allocUnsafe(readBytes);
    const size = fs.readSync(fd, chunk);
    if (size === 0) return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
    chunks.push(chunk.subarray(0, size));
  }
}

/** A name that is given twice is refused with EEXIST. */
function writeFile({ name, mode, content }) {
  if (name.split('/').some((part) => ['', '.', '..'].includes(part))) {
    throw new RangeError(`${JSON.stringify(name)} is not a name below the work directory`);
  }
  if (name.includes('/')) fs.mkdirSync(path.dirname(name), { recursive: true, mode: 0o755 });
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = fs.constants;
  const fd = fs.openSync(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
  try {
    // On a descriptor it writes all of the content.
    fs.writeFileSync(fd, content);
  } finally {
    fs.closeSync(fd);
  }
}

function replaceEnvironment(entries) {
  const wanted = new Map();
  for (const entry of entries) {
    const equals = entry.indexOf('=');
    const name = entry.slice(0, equals);
    if (equals > 0 && !wanted.has(name)) wanted.set(name, entry.slice(equals + 1));
  }
  for (const name of Object.keys(process.env)) if (!wanted.has(name)) delete process.env[name];
  for (const [name, value] of wanted) {
    if (process.env[name] !== value) process.env[name] = value;
  }
}

function attempt(exitCode, what, action) {
  try {
    return action();
  } catch (error) {
    fs.writeSync(2, `scriptd: ${what}: ${error.message}\n`);
    process.reallyExit(exitCode);
  }
}

module.exports = { receiveTask };
