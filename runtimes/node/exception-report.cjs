'use strict';
const { closeSync, fstatSync, openSync, readSync, renameSync, unlinkSync, writeSync } = require('node:fs');
const { constants } = require('node:fs');
const { fileURLToPath } = require('node:url');
const { inspect, types } = require('node:util');

const fileName = '.scriptd-exception.json';
const messageCharactersMax = 4096;
const pathCharactersMax = 300;
const codeCharactersMax = 200;
const nameCharactersMax = 100;
const stackCharactersMax = 64 * 1024;
const framesMax = 50;
const sourceBytesMax = 1024 * 1024;

/** As they are now: the script may replace what these objects have. */
const { stringify } = JSON;
const bytesOf = Buffer.from;
const listenerCount = process.listenerCount.bind(process);
const hasCapture = process.hasUncaughtExceptionCaptureCallback.bind(process);

/**
 * Writes a report of the exception that ends the script into its work directory:
 *
 *     {"type": "TypeError", "message": "…",
 *      "frames": [{"file": "script.js", "line": 3, "function": "f", "code": "throw …"}]}
 *
 * Frames are the outermost first, as Error.stackTraceLimit had them. It only watches: what node
 * prints, and its exit code, stay the same.
 *
 * @param {{directory: string, script: string, source: string}} task
 */
function reportUncaught(task) {
  process.on('uncaughtExceptionMonitor', (error) => {
    try {
      // The script takes it into its own hands.
      if (listenerCount('uncaughtException') > 0 || hasCapture()) return;
      write(`${task.directory}/${fileName}`, stringify(describe(error, task)));
    } catch {
      // The disk is full, the directory is gone, the error is an object that throws at each touch:
      // all the script's doing. The report is an extra; stderr and the exit code still tell it.
      return;
    }
  });
}

function describe(error, task) {
  if (!types.isNativeError(error)) {
    return { type: typeName(error), message: messageOf(error), frames: [] };
  }
  const stack = textOf(() => error.stack);
  return {
    type: clip(textOf(() => error.name) || 'Error', nameCharactersMax),
    message: clip(textOf(() => error.message), messageCharactersMax),
    frames: framesOf(stack, task),
    ...causeOf(error),
  };
}

function causeOf(error) {
  const { cause } = error;
  if (!types.isNativeError(cause)) return {};
  const type = clip(textOf(() => cause.name) || 'Error', nameCharactersMax);
  return { cause: { type, message: clip(textOf(() => cause.message), messageCharactersMax) } };
}

/** What was thrown need not be an error. */
function typeName(value) {
  if (value === null || typeof value !== 'object') return value === null ? 'null' : typeof value;
  return types.isProxy(value) ? 'Proxy' : clip(textOf(() => value.constructor.name), nameCharactersMax);
}

function messageOf(value) {
  if (typeof value === 'string') return clip(value, messageCharactersMax);
  const options = { depth: 1, customInspect: false, maxArrayLength: 10, maxStringLength: 200 };
  return clip(inspect(value, options), messageCharactersMax);
}

function textOf(get) {
  const value = get();
  return typeof value === 'string' ? value : '';
}

const lineOfStack = /^ {4}at (?:async )?(?:(.{1,400}?) \()?((?:node:|file:|\/)[^()]{1,1000}?):(\d{1,9}):\d{1,9}\)?$/;
/** Above the message, where the compiler stopped: `/w/script.js:2`. */
const placeOfSyntaxError = /^((?:file:|\/).{1,1000}):(\d{1,9})$/;

/** The frames in the text of a stack, without those of node itself. */
function framesOf(stack, task) {
  const sources = new Map([[task.script, task.source.split('\n')]]);
  const lines = stack.slice(0, stackCharactersMax).split('\n');
  const frames = [];
  for (const text of lines) {
    const match = lineOfStack.exec(text);
    if (!match || match[2].startsWith('node:')) continue;
    frames.push(frameOf(match[2], Number(match[3]), match[1] ?? '<anonymous>', task, sources));
    if (frames.length === framesMax) break;
  }
  const place = placeOfSyntaxError.exec(lines[0]);
  if (place) frames.unshift(frameOf(place[1], Number(place[2]), '<module>', task, sources));
  return frames.reverse();
}

function frameOf(url, line, name, task, sources) {
  const file = url.startsWith('file:') ? fileURLToPath(url) : url;
  if (!sources.has(file)) sources.set(file, readLines(file));
  const relative = file.startsWith(`${task.directory}/`);
  return {
    file: clip(relative ? file.slice(task.directory.length + 1) : file, pathCharactersMax),
    line,
    function: clip(name, nameCharactersMax),
    code: clip((sources.get(file)[line - 1] ?? '').trim(), codeCharactersMax),
  };
}

/** None of what is no regular file or cannot be read. */
function readLines(file) {
  let fd;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!fstatSync(fd).isFile()) return [];
    const bytes = Buffer.allocUnsafe(sourceBytesMax);
    return bytes.subarray(0, readSync(fd, bytes, 0, sourceBytesMax, 0)).toString().split('\n');
  } catch {
    return []; // the frame goes without its line
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function write(path, text) {
  const part = `${path}.part`;
  try {
    unlinkSync(part);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const fd = openSync(part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    let left = bytesOf(text);
    while (left.length > 0) left = left.subarray(writeSync(fd, left));
  } finally {
    closeSync(fd);
  }
  renameSync(part, path);
}

function clip(text, characters) {
  return text.length <= characters ? text : `${text.slice(0, characters - 1)}…`;
}

module.exports = { reportUncaught };
