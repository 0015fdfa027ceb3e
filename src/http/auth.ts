import { problem, retryAfter } from './problem.js';
import { tokenKind } from './token-text.js';
import type { Token } from './tokens.js';

const challenge = 'Bearer realm="scriptd"';

/**
 * The token that a request shows; undefined: none.
 *
 * Source: RFC 6750, section 2.1
 */
export function shownToken(authorization: string | undefined): string | undefined {
  return /^Bearer +([\x21-\x7e]+) *$/i.exec(authorization ?? '')?.[1];
}

/**
 * The token, if it is valid at this time.
 *
 * Source: RFC 6750, section 3
 *
 * @param token what is known of it; undefined: nothing
 * @param shown as the request has it
 * @param nowMs milliseconds since 1970-01-01 UTC
 * @throws Problem UNAUTHORIZED.
 */
export function requireValid(
  token: Token | undefined,
  shown: string | undefined,
  nowMs: number,
): Token {
  if (token && nowMs < token.expiresAtMs) return token;
  if (shown === undefined) {
    const detail = 'this service asks for a token: send the header Authorization: Bearer TOKEN';
    throw problem('UNAUTHORIZED', detail, {}, { 'www-authenticate': challenge });
  }
  const headers = { 'www-authenticate': `${challenge}, error="invalid_token"` };
  throw problem('UNAUTHORIZED', invalidity(token, shown), {}, headers);
}

/**
 * The token of a request that goes on, if it is still valid.
 *
 * @param latest what is known of it by now; undefined: nothing
 * @param token what was known when the request came
 * @param nowMs milliseconds since 1970-01-01 UTC
 * @throws Problem UNAUTHORIZED.
 */
export function requireStanding(latest: Token | undefined, token: Token, nowMs: number): Token {
  if (latest && nowMs < latest.expiresAtMs) return latest;
  const detail = latest ? expiry(latest) : `the token ${token.name} was revoked: ask for another`;
  const headers = { 'www-authenticate': `${challenge}, error="invalid_token"` };
  throw problem('UNAUTHORIZED', detail, {}, headers);
}

function invalidity(token: Token | undefined, shown: string): string {
  if (token) return expiry(token);
  return tokenKind(shown) === 'broken'
    ? 'the token is not whole: a part of it is missing or was changed when it was copied'
    : 'the token is not one of this service';
}

function expiry({ name, expiresAtMs }: Token): string {
  return `the token ${name} expired at ${new Date(expiresAtMs).toISOString()}: ask for another`;
}

/** @throws Problem RATE_LIMITED, when the token has used up its rate. */
export function requirePace(token: Token, nowMs: number): void {
  const waitMs = token.bucket?.take(nowMs) ?? 0;
  if (waitMs === 0) return;
  const { perSecond, burst } = token.bucket?.rate ?? {};
  const detail =
    `the token ${token.name} may ask ${perSecond} times a second, and ${burst} times at once: ` +
    'wait as long as Retry-After says';
  throw problem('RATE_LIMITED', detail, {}, retryAfter(waitMs));
}
