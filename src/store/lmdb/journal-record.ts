import { crc32 } from 'node:zlib';
import type { Key } from 'lmdb';
import { ScriptdError } from '../../errors.js';
import { type DatabaseName, databaseNames, keyCodecOf } from './databases.js';
import { type Layer, storedBytes } from './layer.js';

/**
 * A record of the journal: what one commit changed, as it stands in the databases.
 *
 *     magic u32 · salt 8 bytes · round u32 · number u32 · body length u32 · CRC-32 of all else u32
 *     body: for each change, database u8 · key length u16 · value length u32 · key · value
 *
 * Numbers are big-endian. A value length of 2^32 - 1: the key goes. Each record begins at a multiple
 * of `blockBytes`, so that writing one never writes over another that was acknowledged. The salt is
 * secret and another for each process: what lies in a file from before, which may be what somebody
 * sent, is never taken for a record.
 */

export const blockBytes = 4_096;
export const saltBytes = 8;
/** Of one that was flushed before the next was written, and of one that was not. */
const magics = { flushed: 0x73_4a_46_31, unflushed: 0x73_4a_55_31 } as const;
const at = { salt: 4, round: 12, number: 16, length: 20, checksum: 24 } as const;
const headerBytes = 28;
const changeHeaderBytes = 7;
const gone = 0xff_ff_ff_ff;
/** lmdb-js's have at most 1,978 bytes. */
const keyBytesMax = 2_048;
const numberOfName = new Map(databaseNames.map((name, number) => [name, number]));

/** Where in a journal a record stands, or the next one will. */
export interface Position {
  /** Each time that a file is begun, from 1 on. */
  round: number;
  /** Of the record, from 0 on in one round. */
  number: number;
}

export interface Place extends Position {
  salt: Buffer;
  flushed: boolean;
}

/** A change as it was read from a journal. */
export interface StoredChange {
  name: DatabaseName;
  key: Key;
  /** Undefined: the key goes. */
  bytes: Buffer | undefined;
}

/** Writes records into one buffer that is used again. */
export class RecordWriter {
  #buffer = Buffer.allocUnsafe(64 * 1024);

  /** @returns whole blocks; good until the next call */
  write(layer: Layer, { salt, round, number, flushed }: Place): Buffer {
    let end = headerBytes;
    for (const [name, change] of layer) {
      const bytes = change.value === undefined ? undefined : storedBytes(name, change);
      this.#reserve(end, changeHeaderBytes + keyBytesMax + (bytes?.length ?? 0));
      end = this.#writeChange(end, name, change.key, bytes);
    }
    const size = Math.ceil(end / blockBytes) * blockBytes;
    this.#reserve(end, size - end);
    const buffer = this.#buffer;
    buffer.fill(0, end, size);
    buffer.writeUInt32BE(flushed ? magics.flushed : magics.unflushed, 0);
    salt.copy(buffer, at.salt);
    buffer.writeUInt32BE(round, at.round);
    buffer.writeUInt32BE(number, at.number);
    buffer.writeUInt32BE(end - headerBytes, at.length);
    buffer.writeUInt32BE(checksum(buffer, end), at.checksum);
    return buffer.subarray(0, size);
  }

  #writeChange(start: number, name: DatabaseName, key: Key, bytes: Buffer | undefined): number {
    const buffer = this.#buffer;
    const keyStart = start + changeHeaderBytes;
    const keyEnd = keyCodecOf(name).writeKey(key, buffer, keyStart);
    buffer[start] = numberOfName.get(name) ?? 0;
    buffer.writeUInt16BE(keyEnd - keyStart, start + 1);
    buffer.writeUInt32BE(bytes?.length ?? gone, start + 3);
    return bytes ? keyEnd + bytes.copy(buffer, keyEnd) : keyEnd;
  }

  #reserve(end: number, more: number): void {
    if (end + more <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(2 * this.#buffer.length, end + more));
    this.#buffer.copy(larger, 0, 0, end);
    this.#buffer = larger;
  }
}

/** The record with this salt that begins at `start`; undefined: there is no whole one. */
export function readRecord(
  bytes: Buffer,
  start: number,
  salt: Buffer,
): (Omit<Place, 'salt'> & { end: number; body: Buffer }) | undefined {
  if (start + headerBytes > bytes.length) return undefined;
  const record = bytes.subarray(start);
  const magic = record.readUInt32BE(0);
  if (magic !== magics.flushed && magic !== magics.unflushed) return undefined;
  if (salt.compare(record, at.salt, at.round) !== 0) return undefined;
  const end = headerBytes + record.readUInt32BE(at.length);
  if (end > record.length) return undefined;
  if (checksum(record, end) !== record.readUInt32BE(at.checksum)) return undefined;
  return {
    round: record.readUInt32BE(at.round),
    number: record.readUInt32BE(at.number),
    flushed: magic === magics.flushed,
    end: start + Math.ceil(end / blockBytes) * blockBytes,
    body: record.subarray(headerBytes, end),
  };
}

/** @throws ScriptdError STORE_CORRUPT: written by another version */
export function* changesOf(body: Buffer): Generator<StoredChange> {
  let start = 0;
  while (start < body.length) {
    const name = databaseNames[body[start] ?? 0];
    if (!name) throw new ScriptdError('STORE_CORRUPT', 'the journal names an unknown database');
    const keyStart = start + changeHeaderBytes;
    const keyEnd = keyStart + body.readUInt16BE(start + 1);
    const length = body.readUInt32BE(start + 3);
    start = length === gone ? keyEnd : keyEnd + length;
    const key = keyCodecOf(name).readKey(body, keyStart, keyEnd);
    yield { name, key, bytes: length === gone ? undefined : body.subarray(keyEnd, start) };
  }
}

function checksum(record: Buffer, end: number): number {
  const ofHeader = crc32(record.subarray(0, at.checksum));
  return crc32(record.subarray(headerBytes, end), ofHeader);
}
