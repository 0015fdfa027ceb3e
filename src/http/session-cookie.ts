import type { IncomingHttpHeaders } from 'node:http';
import { httpLimits } from './limits.js';
import { openSession } from './session.js';

const prefix = 'scriptd-session-';
/** Where a Host has none, its scheme's: which scheme a browser speaks, only some requests tell. */
const schemePorts = { https: 443, http: 80 } as const;

/**
 * The token of the session that a request shows by its header `Scriptd-Session` and its cookie;
 * undefined when there is none, or it does not open.
 *
 * @param nowMs milliseconds since 1970-01-01 UTC
 */
export function sessionToken(headers: IncomingHttpHeaders, nowMs: number): string | undefined {
  const { 'scriptd-session': key, cookie, host } = headers;
  // A header that is sent twice is joined to what is no key.
  if (typeof key !== 'string' || cookie === undefined) return undefined;
  for (const port of portsOf(host)) {
    for (const sealed of cookiesNamed(nameFor(port), cookie)) {
      const token = openSession({ key, sealed }, port, nowMs);
      if (token !== undefined) return token;
    }
  }
  return undefined;
}

/** The port that the browser of a request which tells its Origin believes to be talking to. */
export function sessionPort({ host, origin }: IncomingHttpHeaders): number {
  return namedPort(host) ?? (isSecure(origin) ? schemePorts.https : schemePorts.http);
}

/**
 * The Set-Cookie header that keeps the sealed half at the browser.
 *
 * Source: RFC 6265bis
 * @param maxAgeMs undefined: until the browser is closed
 */
export function sessionCookie(
  headers: IncomingHttpHeaders,
  sealed: string,
  maxAgeMs: number | undefined,
): string {
  const age = maxAgeMs === undefined ? '' : `; Max-Age=${Math.floor(maxAgeMs / 1000)}`;
  return `${nameFor(sessionPort(headers))}=${sealed}${attributes(headers)}${age}`;
}

/** The Set-Cookie headers by which a browser forgets it. */
export function forgetSession(headers: IncomingHttpHeaders): string[] {
  return portsOf(headers.host).map((port) => `${nameFor(port)}=${attributes(headers)}; Max-Age=0`);
}

function attributes({ origin }: IncomingHttpHeaders): string {
  const secure = isSecure(origin) ? '; Secure' : '';
  return `; HttpOnly; SameSite=Strict; Path=/${secure}`;
}

/** A proxy before us may speak TLS: the Origin tells. */
function isSecure(origin: string | undefined): boolean {
  return /^https:/i.test(origin ?? '');
}

function portsOf(host: string | undefined): number[] {
  const port = namedPort(host);
  return port === undefined ? [schemePorts.https, schemePorts.http] : [port];
}

function namedPort(host = ''): number | undefined {
  const digits = /:(\d{1,5})$/.exec(host.replace(/^\[.*\]/, ''))?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function nameFor(port: number): string {
  return `${prefix}${port}`;
}

/**
 * The values of a cookie, the first few of them: whoever serves another port of this host can put
 * one with a longer path before ours.
 */
function cookiesNamed(name: string, header: string): string[] {
  if (header.length > httpLimits.cookieCharactersMax) return [];
  return header
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .slice(0, httpLimits.sessionCookiesMax)
    .map((pair) => pair.slice(name.length + 1));
}
