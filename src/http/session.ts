import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { httpLimits } from './limits.js';

/**
 * A browser that is signed in, in two halves of which neither is worth anything alone. Nothing of it
 * is kept here:
 *
 *     storage of the page:  key, 256 random bits ───────────── header Scriptd-Session ──┐
 *     jar of the browser:   nonce | tag | AES-256-GCM(key, end | token) ─── cookie ─────┴─▶ token
 *
 * Cookies go to every port of a host, and no script of the page can read this one; the storage is
 * of one port, and its key is only sent by scripts of the page. What is sealed for one port does not
 * open at another.
 *
 * Source: NIST SP 800-38D. A key seals once, so that no nonce comes twice.
 */
const cipherName = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;
/** The end comes first in what is sealed: milliseconds since 1970-01-01 UTC, big-endian. */
const endBytes = 8;
const keyShape = /^[A-Za-z0-9_-]{43}$/;
const sealedShape = /^[A-Za-z0-9_-]+$/;

/** Both halves, as base64url. */
export interface Session {
  key: string;
  sealed: string;
}

/**
 * A new session of a token.
 *
 * @param token at most `sessionTokenBytesMax` bytes
 * @param port which a browser believes to be talking to
 * @param endMs from then on it does not open any more; milliseconds since 1970-01-01 UTC
 */
export function sealSession(token: string, port: number, endMs: number): Session {
  const key = randomBytes(32);
  const nonce = randomBytes(nonceBytes);
  const end = Buffer.alloc(endBytes);
  end.writeBigUInt64BE(BigInt(endMs));
  const cipher = createCipheriv(cipherName, key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(boundTo(port));
  const text = Buffer.concat([cipher.update(end), cipher.update(token, 'utf8'), cipher.final()]);
  const sealed = Buffer.concat([nonce, cipher.getAuthTag(), text]);
  return { key: key.toString('base64url'), sealed: sealed.toString('base64url') };
}

/**
 * The token of a session; undefined when the halves do not belong together or to the port, are none,
 * or its end is past. How long it takes to find a tag wrong does not depend on how wrong it is.
 *
 * @param nowMs milliseconds since 1970-01-01 UTC
 */
export function openSession(
  { key, sealed }: Session,
  port: number,
  nowMs: number,
): string | undefined {
  if (!keyShape.test(key) || sealed.length > sealedCharactersMax || !sealedShape.test(sealed)) {
    return undefined;
  }
  const bytes = Buffer.from(sealed, 'base64url');
  const nonce = bytes.subarray(0, nonceBytes);
  const tag = bytes.subarray(nonceBytes, nonceBytes + tagBytes);
  const text = bytes.subarray(nonceBytes + tagBytes);
  if (text.length <= endBytes) return undefined;
  const opened = decrypted(Buffer.from(key, 'base64url'), { nonce, tag, text }, port);
  if (!opened || nowMs >= Number(opened.readBigUInt64BE())) return undefined;
  return opened.toString('utf8', endBytes);
}

function decrypted(
  key: Buffer,
  { nonce, tag, text }: Record<'nonce' | 'tag' | 'text', Buffer>,
  port: number,
): Buffer | undefined {
  const decipher = createDecipheriv(cipherName, key, nonce, { authTagLength: tagBytes });
  decipher.setAAD(boundTo(port)).setAuthTag(tag);
  const opened = decipher.update(text);
  try {
    return Buffer.concat([opened, decipher.final()]);
  } catch {
    // What OpenSSL throws says nothing but that the tag is wrong: there is no code to match on.
    return undefined;
  }
}

function boundTo(port: number): Buffer {
  return Buffer.from(`scriptd session at port ${port}`);
}

const sealedBytesMax = nonceBytes + tagBytes + endBytes + httpLimits.sessionTokenBytesMax;
const sealedCharactersMax = Math.ceil((sealedBytesMax * 4) / 3);
