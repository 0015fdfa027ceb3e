import type { IncomingHttpHeaders } from 'node:http';
import { type Problem, problem, retryAfter } from './problem.js';
import { sessionToken } from './session-cookie.js';
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

/** What a request shows of who asks. */
export interface Shown {
  /** undefined: none, or that of a session which does not open. */
  token: string | undefined;
  /** By a session, as a browser does that is signed in. */
  isSession: boolean;
}

/**
 * By an Authorization header, whatever is in it, or else by a session.
 *
 * @param nowMs milliseconds since 1970-01-01 UTC
 */
export function shownBy(headers: IncomingHttpHeaders, nowMs: number): Shown {
  const isSession = headers.authorization === undefined && headers['scriptd-session'] !== undefined;
  const token = isSession ? sessionToken(headers, nowMs) : shownToken(headers.authorization);
  return { token, isSession };
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
export function requireValid(token: Token | undefined, shown: Shown, nowMs: number): Token {
  if (token && nowMs < token.expiresAtMs) return token;
  if (shown.isSession) throw invalid(sessionFault(token, shown.token));
  if (shown.token === undefined) throw unsignedIn();
  throw invalid(invalidity(token, shown.token));
}

/** Of a request that has to show a token itself. */
export function unsignedIn(): Problem {
  const detail = 'this service asks for a token: send the header Authorization: Bearer TOKEN';
  return problem('UNAUTHORIZED', detail, {}, { 'www-authenticate': challenge });
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
  throw invalid(latest ? expiry(latest) : `the token ${token.name} was revoked: ask for another`);
}

function invalid(detail: string): Problem {
  const headers = { 'www-authenticate': `${challenge}, error="invalid_token"` };
  return problem('UNAUTHORIZED', detail, {}, headers);
}

function sessionFault(token: Token | undefined, shown: string | undefined): string {
  if (token) return `${expiry(token)}, and sign in again with that`;
  const cure = 'sign in again';
  return shown === undefined
    ? `the session has ended, or a half of it is missing: ${cure}`
    : `the token of the session is not valid any more: ${cure} with another`;
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
