import type { IncomingMessage } from 'node:http';
import { isIPv4 } from 'node:net';
import { type Problem, problem } from './problem.js';

/**
 * Where a request comes from, as far as its headers tell. A web page must not be able to run code
 * on the machine of who looks at it: not by a link, form or fetch to this service (cross-site), and
 * not by a name of its own that it lets point to 127.0.0.1 (DNS rebinding: the Host gives it away).
 */

/** True for a host name that always means the host itself. As in a Host header, without port. */
export function isLoopbackName(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost') || isLoopbackAddress(name);
}

/** True for an address to listen on that only the host itself can reach. */
export function isLoopbackAddress(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  return bare === 'localhost' || bare === '::1' || (isIPv4(bare) && bare.startsWith('127.'));
}

/** The name in `name`, `name:port` or `[ipv6]:port`, lower case; undefined when it is malformed. */
export function hostName(authority: string): string | undefined {
  const match = /^(\[[0-9a-f:.]+\]|[^\s:/?#@\\[\],]+?)\.?(?::\d{0,5})?$/i.exec(authority);
  return match?.[1]?.toLowerCase();
}

/** The authority of an absolute-form request target (RFC 9112, 3.2.2), else undefined. */
export function targetAuthority(url: string): string | undefined {
  return /^https?:\/\/([^/?#]*)/i.exec(url)?.[1];
}

/** The request target in origin form. */
export function originForm(url: string): string {
  if (url.startsWith('/')) return url;
  const authority = targetAuthority(url);
  if (authority === undefined) return url;
  const rest = url.slice(url.indexOf('//') + 2 + authority.length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/**
 * Why a request is refused as one that a browser makes for another site; undefined when it is none.
 * Another port of the same host counts as another site. Only what the header says for certain is
 * let through: `none` (typed into the address bar) and `same-origin`.
 *
 * Source: https://www.w3.org/TR/fetch-metadata/ , RFC 6454
 */
export function crossSiteProblem(request: IncomingMessage): Problem | undefined {
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'none' && site !== 'same-origin') {
    return crossSite(`Sec-Fetch-Site is ${String(site).slice(0, 64)}`);
  }
  const origin = request.headers.origin;
  if (origin !== undefined && !isOwnOrigin(origin, request.headers.host)) {
    return crossSite(`its Origin is ${origin.slice(0, 128)}, not this host`);
  }
  return undefined;
}

/**
 * True when a browser follows a link, in a window or tab of its own: not for a frame, an image or a
 * script. What it leads to is shown to whoever followed it, and to no page.
 *
 * Source: https://www.w3.org/TR/fetch-metadata/
 */
export function isFollowedLink({ method, headers }: IncomingMessage): boolean {
  const { origin, 'sec-fetch-mode': mode, 'sec-fetch-dest': destination } = headers;
  const isNavigation = mode === 'navigate' && destination === 'document';
  // A form that is sent by POST says where it comes from.
  return method === 'GET' && isNavigation && origin === undefined;
}

/**
 * Why a request that runs something is refused since a browser may have made it for another site;
 * undefined when that can't be. Over plain HTTP to another name than loopback's, browsers leave out
 * Sec-Fetch-Site, and Origin from the GET of an image or a link: all that is left to know one by is
 * its User-Agent, which a page cannot change.
 *
 * Source: https://www.w3.org/TR/fetch-metadata/#abstract-opdef-set-the-fetch-metadata-headers-for-a-request
 */
export function untoldSiteProblem(request: IncomingMessage): Problem | undefined {
  const { host, origin, 'sec-fetch-site': site, 'user-agent': agent } = request.headers;
  if (agent === undefined || !/^Mozilla\//i.test(agent)) return undefined;
  if (site !== undefined || origin !== undefined) return undefined;
  if (isLoopbackName(hostName(host ?? '') ?? '')) return undefined;
  return problem(
    'CROSS_SITE',
    'a browser made this request and did not say for which site, as over plain HTTP; use a token ' +
      '(--token-file), HTTPS, or a client that is no browser (another User-Agent)',
  );
}

/** Compares host and port; with the Origin's scheme, since a proxy before us may speak TLS. */
function isOwnOrigin(origin: string, host: string | undefined): boolean {
  const parts = /^(https?):\/\/([^/]+)$/i.exec(origin);
  if (!parts || host === undefined) return false;
  const defaultPort = parts[1]?.toLowerCase() === 'https' ? '443' : '80';
  const theirs = withPort(parts[2] ?? '', defaultPort);
  return theirs !== undefined && theirs === withPort(host, defaultPort);
}

function withPort(authority: string, defaultPort: string): string | undefined {
  const name = hostName(authority);
  if (name === undefined) return undefined;
  const port = /:(\d+)$/.exec(authority.replace(/^\[.*\]/, ''))?.[1];
  return `${name}:${Number(port ?? defaultPort)}`;
}

function crossSite(fact: string): Problem {
  return problem(
    'CROSS_SITE',
    `a browser made this request for another site (${fact}); web pages may not run code here`,
  );
}
