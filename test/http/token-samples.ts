import type { TokenRecord } from '../../src/http/token-record.js';
import { makeToken, makeTokenId, tokenDigest } from '../../src/http/token-text.js';

/** A token, and what the file of tokens has of it. */
export function sampleToken(changes: Partial<TokenRecord> = {}): {
  token: string;
  record: TokenRecord;
} {
  const token = makeToken();
  const id = makeTokenId();
  const createdAt = '2026-01-01T00:00:00Z';
  const record: TokenRecord = {
    id,
    name: `name-${id}`,
    scopes: ['submit', 'read'],
    createdAt,
    sha256: tokenDigest(token),
    ...changes,
  };
  return { token, record };
}

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
