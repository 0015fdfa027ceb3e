import { httpLimits } from './limits.js';
import { type Problem, problem } from './problem.js';

/** Beyond so many names a list takes longer to look through than a set. */
const listedNamesMax = 16;

/** An object or array that the scan is inside of. */
interface Level {
  /** Names so far; undefined in an array. A list as long as they are few: it is made sooner. */
  names: string[] | Set<string> | undefined;
  /** The name, or the index, of the value that is being read. */
  at: string | number;
  /** The next string is a name. */
  awaitsName: boolean;
}

/**
 * A look at JSON before it is parsed, in one pass, for what a parser takes and nobody means: a name
 * that stands twice in one object (the parser drops the first), a number that becomes another or
 * Infinity, names that lead to an object's prototype; and for what a body of this API never is:
 * nested that deep, of that many values. A text of nothing but brackets would keep a parser, and so
 * everybody, waiting for seconds. What is not JSON is left to the parser to find.
 *
 * @param json valid UTF-8: bytes are quicker to go through than characters
 * @param text the same, decoded
 * @throws Problem INVALID_JSON, INVALID_FIELD; both with `field`, where there is one.
 */
export function refuseUnfitJson(json: Buffer, text: string, what: string): void {
  const { jsonDepthMax, jsonValuesMax } = httpLimits;
  // Then each byte is a character.
  const ascii = text.length === json.length ? text : undefined;
  const levels: Level[] = [];
  let level: Level | undefined;
  let values = 1;
  let index = 0;
  while (index < json.length) {
    const byte = json[index] as number;
    if (byte === quote) {
      const end = endOfString(json, index);
      if (level?.awaitsName) {
        level.awaitsName = false;
        takeName(ascii?.slice(index, end) ?? json.toString('utf8', index, end), level, levels);
      }
      index = end;
      continue;
    }
    if (byte === minus || isDigit(byte)) {
      const end = endOfNumber(json, index);
      refuseInexact(json.toString('latin1', index, end), levels);
      index = end;
      continue;
    }
    index++;
    if (byte === openBrace || byte === openBracket) {
      values++;
      if (levels.length === jsonDepthMax)
        throw unlike(what, `is nested deeper than ${jsonDepthMax}`);
      const isObject = byte === openBrace;
      level = {
        names: isObject ? [] : undefined,
        at: isObject ? '' : 0,
        awaitsName: isObject,
      };
      levels.push(level);
    } else if (byte === closeBrace || byte === closeBracket) {
      levels.pop();
      level = levels[levels.length - 1];
    } else if (byte === comma) {
      if (++values > jsonValuesMax) throw unlike(what, `holds more than ${jsonValuesMax} values`);
      if (level?.names) level.awaitsName = true;
      else if (level) level.at = Number(level.at) + 1;
    }
  }
}

function unlike(what: string, fact: string): Problem {
  return problem('INVALID_JSON', `${what} is not one of this API: it ${fact}`);
}

function takeName(text: string, level: Level, levels: readonly Level[]): void {
  const name = nameOf(text);
  if (name === undefined) return;
  const above = levels.at(-2)?.at;
  level.at = name;
  if (name === '__proto__' || (name === 'prototype' && above === 'constructor')) {
    const field = fieldOf(levels);
    throw problem('INVALID_JSON', `\`${field}\` is a name that is not taken`, { field });
  }
  if (!isNew(name, level)) throw repeated(levels);
}

/** Notes a name of the object that is being read; false when it was there before. */
function isNew(name: string, level: Level): boolean {
  if (Array.isArray(level.names)) {
    if (level.names.includes(name)) return false;
    level.names.push(name);
    if (level.names.length > listedNamesMax) level.names = new Set(level.names);
    return true;
  }
  const known = level.names?.size;
  return level.names?.add(name).size !== known;
}

/** As the parser would read it; undefined for what it will refuse. */
function nameOf(text: string): string | undefined {
  if (!text.includes('\\')) return text.slice(1, -1);
  try {
    return JSON.parse(text) as string;
  } catch {
    // Not a string of JSON: the parser says where.
    return undefined;
  }
}

function repeated(levels: readonly Level[]): Problem {
  const field = fieldOf(levels);
  const detail = `\`${field}\` is there more than once: leave one of them`;
  return problem('INVALID_JSON', detail, { field });
}

/** A double holds each whole number up to 2^53, few of those above, and nothing from 1.8e308 on. */
function refuseInexact(text: string, levels: readonly Level[]): void {
  const value = Number(text);
  // Not a number of JSON, such as 1-2: the parser says where.
  if (Number.isNaN(value)) return;
  const isWhole = /^-?\d+$/.test(text);
  const isKept = !isWhole || Number.isSafeInteger(value) || isExact(text, value);
  if (Number.isFinite(value) && isKept) return;
  const field = fieldOf(levels);
  const shown = text.length > 32 ? `${text.slice(0, 32)}…` : text;
  const detail = `\`${field || 'value'}\` is ${shown}, which is too large a number to be kept exactly`;
  throw problem('INVALID_FIELD', detail, field ? { field } : {});
}

/** A whole number that comes back as it was written, or that a double holds to the last digit. */
function isExact(text: string, value: number): boolean {
  // Finite numbers have at most 309 digits, but for zeros that JSON does not allow in front.
  if (!Number.isFinite(value) || text.length > 310) return false;
  return String(value) === text || BigInt(text) === BigInt(value);
}

/** Path of the value that is being read, e.g. `limits.wallMs`. */
function fieldOf(levels: readonly Level[]): string {
  return levels
    .map(({ at }) => String(at).slice(0, httpLimits.nameMax))
    .join('.')
    .slice(0, httpLimits.nameMax);
}

/** Index after the closing quote, or the end of the text. */
function endOfString(json: Buffer, start: number): number {
  for (let index = start + 1; index < json.length; index++) {
    const byte = json[index];
    if (byte === backslash) index++;
    else if (byte === quote) return index + 1;
  }
  return json.length;
}

function endOfNumber(json: Buffer, start: number): number {
  let index = start + 1;
  while (index < json.length && isOfNumber(json[index] as number)) index++;
  return index;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** Digits, and `+`, `-`, `.`, `E`, `e`. */
function isOfNumber(byte: number): boolean {
  if (isDigit(byte) || byte === minus) return true;
  return byte === 0x2b || byte === 0x2e || byte === 0x45 || byte === 0x65;
}

const [quote, backslash, comma, minus] = [0x22, 0x5c, 0x2c, 0x2d];
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d];
