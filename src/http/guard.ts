import type { IncomingMessage } from 'node:http';
import { ScriptdError } from '../errors.js';
import { requireToken, type Tokens } from './auth.js';
import { crossSiteProblem, hostProblem, isLoopbackAddress } from './origin.js';

/** Who may come in. */
export interface Access {
  /** With tokens, every request but those to open paths shows one. */
  tokens?: Tokens | undefined;
  /** Something else guards the service: any address, any Host. */
  noAuth: boolean;
  /** Host names, without port, that are taken besides loopback's when there are no tokens. */
  allowedHosts: readonly string[];
}

/** Checks one request; throws a Problem when it may not come in. `url` is as it was sent. */
export type Guard = (request: IncomingMessage, url: string, open: boolean) => void;

export function createGuard(access: Access): Guard {
  const { tokens } = access;
  const names = access.allowedHosts.map((name) => name.toLowerCase());
  const allowed = tokens || access.noAuth ? 'any' : new Set(names);
  return (request, url, open) => {
    const refused = crossSiteProblem(request) ?? hostProblem(request, url, allowed);
    if (refused) throw refused;
    if (tokens && !open) requireToken(tokens, request.headers.authorization);
  };
}

/**
 * Refuses to listen where others could reach a service that runs code for whoever reaches it.
 *
 * @throws ScriptdError AUTH_REQUIRED.
 */
export function requireGuardedAddress(host: string, access: Access): void {
  if (access.tokens || access.noAuth || isLoopbackAddress(host)) return;
  throw new ScriptdError(
    'AUTH_REQUIRED',
    `listening on ${host} would let everyone who reaches it run code: give a file of tokens ` +
      '(--token-file), or --no-auth if something else guards it, or listen on 127.0.0.1',
  );
}
