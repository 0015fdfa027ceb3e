import type { IncomingMessage } from 'node:http';
import { limits } from '../limits.js';
import { problem } from './problem.js';

const header = 'Idempotency-Key';

/**
 * The key under which a submission may be repeated without being done again; undefined without
 * one. It is taken as it is, quotes included.
 *
 * Source: draft-ietf-httpapi-idempotency-key-header
 * @throws Problem INVALID_FIELD.
 */
export function readIdempotencyKey(request: IncomingMessage): string | undefined {
  // Few requests have one, and to tell their headers apart takes time.
  if (request.headers[header.toLowerCase()] === undefined) return undefined;
  const [key, ...others] = request.headersDistinct[header.toLowerCase()] ?? [];
  if (key === undefined) return undefined;
  return checkIdempotencyKey(others.length === 0 ? key : undefined, header);
}

/** @throws Problem INVALID_FIELD, of the field or header that the key came in. */
export function checkIdempotencyKey(key: unknown, field: string): string {
  const most = limits.idempotencyKeyBytesMax;
  if (typeof key === 'string' && /^[\x20-\x7e]+$/.test(key) && key.length <= most) return key;
  const detail = `${field} must be one text of 1 to ${most} printable ASCII characters`;
  throw problem('INVALID_FIELD', detail, { field });
}
