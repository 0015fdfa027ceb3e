import { isUtf8 } from 'node:buffer';
import { Type } from 'typebox';
import { problem } from './problem.js';

/** Bytes as JSON can hold them: text, or any bytes. */
export const BytesJson = Type.Union([
  Type.String(),
  Type.Object(
    { base64: Type.String({ description: 'Any bytes, as base64 (RFC 4648).' }) },
    { additionalProperties: false },
  ),
]);

/**
 * The bytes that a value of `field` stands for.
 *
 * @throws Problem INVALID_FIELD.
 */
export function readBytes(field: string, value: unknown): Buffer {
  return typeof value === 'string' ? textBytes(field, value) : base64Bytes(field, value);
}

/** Bytes as an answer shows them: text when they are UTF-8, else base64. */
export interface BytesText {
  text: string;
  encoding: 'utf-8' | 'base64';
}

export function bytesJson(bytes: Uint8Array): BytesText {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return isUtf8(view)
    ? { text: view.toString('utf8'), encoding: 'utf-8' }
    : { text: view.toString('base64'), encoding: 'base64' };
}

/** @throws Problem INVALID_FIELD for text that is not Unicode: half a surrogate pair. */
export function checkUnicode(field: string, text: string): void {
  if (text.isWellFormed()) return;
  const detail = `\`${field}\` holds half a surrogate pair, which is no character`;
  throw problem('INVALID_FIELD', detail, { field });
}

function textBytes(field: string, text: string): Buffer {
  checkUnicode(field, text);
  return Buffer.from(text, 'utf8');
}

function base64Bytes(field: string, value: unknown): Buffer {
  const isObject = typeof value === 'object' && value !== null;
  const names = isObject ? Object.keys(value) : [];
  const text = isObject && 'base64' in value ? value.base64 : undefined;
  if (names.length !== 1 || typeof text !== 'string') {
    const detail = `\`${field}\` must be a string, or {"base64": "..."} for bytes that are not text`;
    throw problem('INVALID_FIELD', detail, { field });
  }
  const bytes = Buffer.from(text, 'base64');
  // Node skips what is not base64; so compare, with the padding left open (RFC 4648, 3.2).
  if (bytes.toString('base64').replace(/=+$/, '') !== text.replace(/={0,2}$/, '')) {
    const base64 = `${field}.base64`;
    throw problem('INVALID_FIELD', `\`${base64}\` is not base64`, { field: base64 });
  }
  return bytes;
}
