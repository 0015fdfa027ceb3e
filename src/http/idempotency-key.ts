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
  const [key, ...others] = request.headersDistinct[header.toLowerCase()] ?? [];
  if (key === undefined) return undefined;
  const most = limits.idempotencyKeyBytesMax;
  if (others.length === 0 && /^[\x20-\x7e]+$/.test(key) && key.length <= most) return key;
  const detail = `${header} must be one text of 1 to ${most} printable ASCII characters`;
  throw problem('INVALID_FIELD', detail, { field: header });
}
