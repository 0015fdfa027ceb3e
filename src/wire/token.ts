import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ensureFile } from '../durable-file.js';
import { ScriptdError } from '../errors.js';

/**
 * The token that the parts of one installation share. It never crosses the wire: each side proves
 * that it has it by an HMAC-SHA-256 (RFC 2104) over both sides' nonces.
 */
export type WireToken = Buffer;

const tokenBytesMin = 16;

/**
 * Reads the token from a file; with `create`, makes one (mode 0600) where there is none or an
 * empty one.
 *
 * @throws ScriptdError TOKEN_UNREADABLE, TOKEN_WEAK (shorter than 16 bytes).
 */
export function readWireToken(path: string, options: { create: boolean }): WireToken {
  let text: string;
  try {
    if (options.create) ensureFile(path, `${randomBytes(32).toString('hex')}\n`);
    text = readFileSync(path, 'utf8').trim();
  } catch (cause) {
    throw new ScriptdError('TOKEN_UNREADABLE', `the wire token cannot be read from ${path}`, {
      cause,
    });
  }
  if (text.length < tokenBytesMin) {
    throw new ScriptdError(
      'TOKEN_WEAK',
      `the wire token in ${path} is shorter than ${tokenBytesMin} characters; ` +
        'make one with: openssl rand -hex 32',
    );
  }
  return Buffer.from(text, 'utf8');
}

export function newNonce(): Buffer {
  return randomBytes(32);
}

/** The side whose proof it is: each signs another text, so that a proof can't be sent back. */
export type Side = 'initiator' | 'acceptor';

export interface ProvenFacts {
  initiatorNonce: Uint8Array;
  acceptorNonce: Uint8Array;
  /** Role, channel and identity of both, so that a proof holds for this one conversation. */
  conversation: string;
}

/** Proof (32 bytes) that one side has the token. */
export function prove(token: WireToken, side: Side, facts: ProvenFacts): Buffer {
  return createHmac('sha256', token)
    .update(`scriptd wire 1 ${side}\0`)
    .update(facts.initiatorNonce)
    .update(facts.acceptorNonce)
    .update(facts.conversation)
    .digest();
}

/** Compares in constant time. */
export function proofHolds(expected: Buffer, received: Uint8Array | undefined): boolean {
  return received?.length === expected.length && timingSafeEqual(expected, received);
}
