import { createHash, randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

/**
 * The tokens that scriptd makes: `scriptd_`, 43 random letters and digits (256 bits), and six more
 * that are their checksum. So programs that look for secrets in code know one for certain, and one
 * that was cut off when it was copied is told from one that was revoked.
 */
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const prefix = 'scriptd_';
const secretCharacters = 43;
/** 62^6 is more than 2^32. */
const checksumCharacters = 6;
const shape = new RegExp(
  `^${prefix}([0-9A-Za-z]{${secretCharacters}})([0-9A-Za-z]{${checksumCharacters}})$`,
);

/** A new token. */
export function makeToken(): string {
  const secret = randomText(secretCharacters);
  return `${prefix}${secret}${checksum(secret)}`;
}

/** The id of a token, which is no secret. */
export function makeTokenId(): string {
  return randomText(8);
}

/**
 * What can be said of a token without knowing the valid ones. `made`: it has the shape of those
 * that scriptd makes, which nobody guesses; `broken`: it was one, and a part of it is missing or
 * wrong; `other`: somebody else made it.
 */
export function tokenKind(token: string): 'made' | 'broken' | 'other' {
  if (!token.startsWith(prefix)) return 'other';
  const [, secret, sum] = shape.exec(token) ?? [];
  return secret !== undefined && sum === checksum(secret) ? 'made' : 'broken';
}

/**
 * What is kept of a token. One round is enough: it can't be found by trying, since it is random.
 *
 * @returns SHA-256 as 64 hexadecimal digits
 */
export function tokenDigest(token: string): string {
  return createHash('sha256').update(token, 'utf8').digest('hex');
}

function randomText(characters: number): string {
  return Array.from({ length: characters }, () => alphabet[randomInt(alphabet.length)]).join('');
}

/** CRC-32 in base 62, most significant digit first. */
function checksum(text: string): string {
  let rest = crc32(text);
  let digits = '';
  for (let place = 0; place < checksumCharacters; place++) {
    digits = alphabet[rest % alphabet.length] + digits;
    rest = Math.floor(rest / alphabet.length);
  }
  return digits;
}
