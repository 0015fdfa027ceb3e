const keyBytes = 16;

/** A key that nobody else makes: 32 hexadecimal digits. Also where a page has no randomUUID. */
export function newIdempotencyKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(keyBytes));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
