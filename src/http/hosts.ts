import type { IncomingMessage } from 'node:http';
import { httpLimits } from './limits.js';
import { hostName, isLoopbackName, targetAuthority } from './origin.js';
import { type Problem, problem } from './problem.js';

/** By which names this service lets itself be called. */
export class Hosts {
  /** Names besides loopback's. */
  readonly #allowed: ReadonlySet<string> | 'any';
  /** Authorities that were found to be fine, as they were written: most requests name the same. */
  readonly #known = new Set<string>();

  constructor(allowed: ReadonlySet<string> | 'any') {
    this.#allowed = allowed;
  }

  /**
   * Why the host that a request names keeps it out; undefined when it may come in. HTTP/1.0 knows no
   * Host; without one it may come in only where other hosts may too.
   *
   * @param url as it was sent
   */
  problemOf(request: IncomingMessage, url: string): Problem | undefined {
    const { rawHeaders } = request;
    let host: string | undefined;
    // As they were sent: Node's own view drops the second Host.
    for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
      if (!isHost(rawHeaders[index] as string)) continue;
      if (host !== undefined) return problem('INVALID_HOST', 'there is more than one Host header');
      host = rawHeaders[index + 1] as string;
    }
    if (host === undefined) {
      const needed = request.httpVersion !== '1.0' || this.#allowed !== 'any';
      if (needed) return problem('INVALID_HOST', 'the Host header is missing');
    }
    const target = url.startsWith('/') ? undefined : targetAuthority(url);
    return this.#refusal(host) ?? this.#refusal(target);
  }

  #refusal(authority: string | undefined): Problem | undefined {
    if (authority === undefined || this.#known.has(authority)) return undefined;
    const name = hostName(authority);
    if (name === undefined) return problem('INVALID_HOST', 'the Host is not a name with a port');
    const isAllowed = this.#allowed === 'any' || this.#allowed.has(name) || isLoopbackName(name);
    if (!isAllowed) return notAllowed(name);
    const isKept = authority.length <= httpLimits.nameMax;
    if (isKept && this.#known.size < httpLimits.knownHostsMax) this.#known.add(authority);
    return undefined;
  }
}

function isHost(header: string): boolean {
  return header.length === 4 && header.toLowerCase() === 'host';
}

function notAllowed(name: string): Problem {
  const shown = name.slice(0, 128);
  return problem(
    'HOST_NOT_ALLOWED',
    `without tokens this service answers only to loopback names, and the Host is ${shown}; ` +
      'give it tokens (--token-file), or allow the name (--allowed-hosts)',
  );
}
