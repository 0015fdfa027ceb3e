import { createHmac } from 'node:crypto';

export interface Signed {
  /** Same in every attempt. */
  id: string;
  /** Of this attempt, in seconds since 1970-01-01 UTC. */
  timestampS: number;
  body: string;
}

/**
 * The headers by which a receiver knows who sent it, when, and whether it has had it before: for
 * each key a signature, HMAC-SHA-256 over id, timestamp and body.
 *
 * Source: Standard Webhooks, https://www.standardwebhooks.com, "Webhook headers"
 */
export function signatureHeaders(
  { id, timestampS, body }: Signed,
  keys: readonly Uint8Array[],
): Record<string, string> {
  const text = `${id}.${timestampS}.${body}`;
  const signatures = keys.map(
    (key) => `v1,${createHmac('sha256', key).update(text).digest('base64')}`,
  );
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestampS),
    'webhook-signature': signatures.join(' '),
  };
}
