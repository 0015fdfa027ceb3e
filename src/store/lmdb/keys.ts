import { invariant } from '../../invariant.js';
import { storeLimits } from '../limits.js';

/**
 * Keys, as bytes whose order is the one that is wanted. Numbers are 8 bytes, big-endian.
 */

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The 16 bytes of a task's id; undefined when no task can have it. */
export function taskKey(taskId: string): Buffer | undefined {
  return uuid.test(taskId) ? Buffer.from(taskId.replaceAll('-', ''), 'hex') : undefined;
}

/** The id whose bytes stand in `bytes` from `start`. */
export function taskIdOf(bytes: Buffer, start = 0): string {
  const hex = bytes.toString('hex', start, start + 16);
  const head = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}`;
  return `${head}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Of the number of a submission. */
export function sequenceKey(sequence: number): Buffer {
  const key = Buffer.allocUnsafe(8);
  writeNumber(key, sequence, 0);
  return key;
}

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

function writeNumber(target: Buffer, value: number, at: number): void {
  invariant(Number.isSafeInteger(value) && value >= 0, `${value} does not fit into a key`);
  target.writeUInt32BE(Math.floor(value / 2 ** 32), at);
  target.writeUInt32BE(value % 2 ** 32, at + 4);
}

function readNumber(source: Buffer, at: number): number {
  return source.readUInt32BE(at) * 2 ** 32 + source.readUInt32BE(at + 4);
}
