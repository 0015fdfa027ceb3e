import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { errorMessage, ScriptdError } from '../errors.js';
import type { Log } from '../log.js';
import { httpLimits } from './limits.js';
import { problem } from './problem.js';

/** The tokens that may come in. Only their digests are kept. */
export class Tokens {
  readonly #digests: readonly Buffer[];

  constructor(tokens: readonly string[]) {
    this.#digests = tokens.map(digest);
  }

  /**
   * Whether a token is one of them. Takes as long for every token of the same length: all are
   * compared, as digests of equal size.
   */
  has(token: string): boolean {
    const asked = digest(token);
    let found = false;
    for (const known of this.#digests) {
      const equal = timingSafeEqual(known, asked);
      found = equal || found;
    }
    return found;
  }
}

/**
 * Reads a token file: one token a line; blank lines and lines that begin with # are skipped. A file
 * that every user of the host may read is only warned of, because Kubernetes and Docker mount
 * secrets with such modes into containers where no other user lives.
 *
 * @throws ScriptdError TOKENS_UNREADABLE, TOKENS_INVALID (a token is too short or has other
 *   characters than printable ASCII; or there is none).
 */
export function readTokens(path: string, log: Log): Tokens {
  const { text, mode } = readWithMode(path);
  if (mode & 0o004) {
    log.warn({ path }, `every user of this host may read the tokens: chmod 600 ${path}`);
  }
  const tokens: string[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const fault = tokenFault(line);
    if (fault) throw invalid(path, `the token in line ${index + 1} ${fault}`);
    tokens.push(line);
  }
  if (tokens.length === 0) throw invalid(path, 'it holds no token');
  return new Tokens(tokens);
}

/**
 * Refuses a request that does not show one of the tokens.
 *
 * Source: RFC 6750, section 2.1 and 3
 * @throws Problem UNAUTHORIZED.
 */
export function requireToken(tokens: Tokens, authorization: string | undefined): void {
  const shown = /^Bearer +([\x21-\x7e]+) *$/i.exec(authorization ?? '')?.[1];
  if (shown !== undefined && tokens.has(shown)) return;
  const challenge = 'Bearer realm="scriptd"';
  if (shown === undefined) {
    const detail = 'this service asks for a token: send the header Authorization: Bearer TOKEN';
    throw problem('UNAUTHORIZED', detail, {}, { 'www-authenticate': challenge });
  }
  const headers = { 'www-authenticate': `${challenge}, error="invalid_token"` };
  throw problem('UNAUTHORIZED', 'the token is not one of this service', {}, headers);
}

function readWithMode(path: string): { text: string; mode: number } {
  try {
    return { text: readFileSync(path, 'utf8'), mode: statSync(path).mode };
  } catch (cause) {
    const text = `the tokens cannot be read from ${path}: ${errorMessage(cause)}`;
    throw new ScriptdError('TOKENS_UNREADABLE', text, { cause });
  }
}

function tokenFault(token: string): string | undefined {
  if (!/^[\x21-\x7e]*$/.test(token)) return 'has spaces or characters beyond ASCII';
  if (token.length < httpLimits.tokenCharactersMin) {
    return `is shorter than ${httpLimits.tokenCharactersMin} characters`;
  }
  return undefined;
}

function invalid(path: string, fault: string): ScriptdError {
  const text = `the token file ${path} is not valid: ${fault}; make one with: openssl rand -hex 32`;
  return new ScriptdError('TOKENS_INVALID', text);
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token, 'utf8').digest();
}
