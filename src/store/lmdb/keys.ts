import { invariant } from '../../invariant.js';
import { storeLimits } from '../limits.js';

/**
 * Keys, as bytes whose order is the one that is wanted. Numbers are 8 bytes, big-endian.
 */

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** False: no task can have it. */
export function isTaskId(text: string): boolean {
  return uuid.test(text);
}

const hexDigits = Buffer.from('0123456789abcdef');
/** Where the digits of an id stand; every byte is two of them. */
const digitPlaces = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
const idText = Buffer.from('00000000-0000-0000-0000-000000000000');

/** The id whose 16 bytes stand in `bytes` from `start`. */
export function readTaskId(bytes: Uint8Array, start: number): string {
  for (let i = 0; i < 16; i++) {
    const byte = bytes[start + i] ?? 0;
    const place = digitPlaces[i] ?? 0;
    idText[place] = hexDigits[byte >> 4] ?? 0;
    idText[place + 1] = hexDigits[byte & 15] ?? 0;
  }
  // One flat string: pieces put together would take several times its memory.
  return idText.toString('latin1');
}

/** Writes the 16 bytes of a task's id. @returns where they end */
export function writeTaskId(taskId: string, target: Uint8Array, start: number): number {
  for (let i = 0; i < 16; i++) {
    const place = digitPlaces[i] ?? 0;
    const digits = digitOf(taskId, place) * 16 + digitOf(taskId, place + 1);
    target[start + i] = digits;
  }
  return start + 16;
}

function digitOf(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code < 58 ? code - 48 : code - 87;
}

export interface KeyEncoder<K> {
  writeKey(key: K, target: Buffer, start: number): number;
  readKey(source: Buffer, start: number, end: number): K;
}

/** Keys of what is kept by a task's id. */
export const taskIdKeys: KeyEncoder<string> = {
  writeKey: writeTaskId,
  readKey: readTaskId,
};

/** Keys that are bytes. */
export const binaryKeys: KeyEncoder<Buffer> = {
  writeKey: (key, target, start) => start + key.copy(target, start),
  // A copy: what it is read from is used again.
  readKey: (source, start, end) => Buffer.from(source.subarray(start, end)),
};

/** Keys of what is kept by the number of a submission. */
export const sequenceKeys: KeyEncoder<number> = {
  writeKey(sequence, target, start) {
    writeNumber(target, sequence, start);
    return start + 8;
  },
  readKey: readNumber,
};

/** The number that stands in the last 8 bytes of a key. */
export function sequenceOf(key: Buffer): number {
  return readNumber(key, key.length - 8);
}

/** A time, whole milliseconds, then the number of a submission. */
export function endingKey(finishedAt: number, sequence: number): Buffer {
  const key = Buffer.allocUnsafe(16);
  writeNumber(key, Math.floor(finishedAt), 0);
  writeNumber(key, sequence, 8);
  return key;
}

/** A time, whole milliseconds, then the bytes of an idempotency key. */
export function keyTimeKey(at: number, idempotencyKey: Buffer): Buffer {
  const key = Buffer.allocUnsafe(8 + idempotencyKey.length);
  writeNumber(key, Math.floor(at), 0);
  idempotencyKey.copy(key, 8);
  return key;
}

/** The time that a key begins with. */
export function timeOf(key: Buffer): number {
  return readNumber(key, 0);
}

const facets = { group: 0x67, tag: 0x74, outcome: 0x6f, deadLetter: 0x64 } as const;
export type Facet = keyof typeof facets;

/** A property and its value, then the number of a submission that has it. */
export function facetKey(facet: Facet, value: string, sequence: number): Buffer {
  const text = Buffer.from(value);
  const key = Buffer.allocUnsafe(3 + text.length + 8);
  key.writeUInt8(facets[facet], 0);
  // Before the value: no value's keys stand between those of another.
  key.writeUInt16BE(text.length, 1);
  text.copy(key, 3);
  writeNumber(key, sequence, 3 + text.length);
  return key;
}

/** A document's kind, then its id. */
export function documentKey(kind: string, id: string): Buffer {
  const [kindBytes, idBytes] = [Buffer.from(kind), Buffer.from(id)];
  for (const { length } of [kindBytes, idBytes]) {
    const isInRange = length > 0 && length <= storeLimits.documentNameBytesMax;
    invariant(isInRange, 'a document has a kind and an id, neither too long');
  }
  return Buffer.concat([Buffer.from([kindBytes.length]), kindBytes, idBytes]);
}

/** The keys of all documents of a kind begin with it. */
export function documentPrefix(kind: string): Buffer {
  const bytes = Buffer.from(kind);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

export function documentNameOf(key: Buffer): { kind: string; id: string } {
  const end = 1 + (key[0] ?? 0);
  return { kind: key.toString('utf8', 1, end), id: key.toString('utf8', end) };
}

/** The first key after all that begin with this one. */
export function after(prefix: Buffer): Buffer {
  return Buffer.concat([prefix, Buffer.alloc(9, 0xff)]);
}

function writeNumber(target: Uint8Array, value: number, at: number): void {
  invariant(Number.isSafeInteger(value) && value >= 0, `${value} does not fit into a key`);
  let rest = value;
  for (let i = at + 7; i >= at; i--) {
    target[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
}

function readNumber(source: Uint8Array, at: number): number {
  let value = 0;
  for (let i = at; i < at + 8; i++) value = value * 256 + (source[i] ?? 0);
  return value;
}
