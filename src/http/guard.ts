import type { IncomingMessage } from 'node:http';
import { type Clock, systemClock } from '../clock.js';
import { ScriptdError } from '../errors.js';
import { requirePace, requireStanding, requireValid, shownBy } from './auth.js';
import { Failures } from './failures.js';
import { Hosts } from './hosts.js';
import {
  crossSiteProblem,
  isFollowedLink,
  isLoopbackAddress,
  untoldSiteProblem,
} from './origin.js';
import { problem, retryAfter } from './problem.js';
import { type Need, type Rights, requireRights } from './scopes.js';
import { tokenKind } from './token-text.js';
import type { Token, Tokens } from './tokens.js';

/** Who may come in. */
export interface Access {
  /** With tokens, every request but those to open paths shows one. */
  tokens?: Tokens | undefined;
  /** Something else guards the service: any address, any Host. */
  noAuth: boolean;
  /** Host names, without port, that are taken besides loopback's when there are no tokens. */
  allowedHosts: readonly string[];
}

/** Decides whether a request may come in. */
export class Guard {
  readonly #tokens: Tokens | undefined;
  readonly #hosts: Hosts;
  readonly #failures = new Failures();
  readonly #clock: Clock;

  constructor({ tokens, noAuth, allowedHosts }: Access, clock: Clock = systemClock) {
    this.#tokens = tokens;
    const names = allowedHosts.map((name) => name.toLowerCase());
    this.#hosts = new Hosts(tokens || noAuth ? 'any' : new Set(names));
    this.#clock = clock;
  }

  /**
   * Who asks; undefined where nobody needs to say it.
   *
   * @param url as it was sent
   * @param isLinked links of other sites may lead to the route
   * @throws Problem CROSS_SITE, INVALID_HOST, HOST_NOT_ALLOWED, UNAUTHORIZED, RATE_LIMITED.
   */
  identify(request: IncomingMessage, url: string, need: Need, isLinked = false): Token | undefined {
    const foreign = isLinked && isFollowedLink(request) ? undefined : crossSiteProblem(request);
    const refused = foreign ?? this.#hosts.problemOf(request, url);
    if (refused) throw refused;
    if (need === 'open') return undefined;
    if (this.#tokens) return this.#requireToken(this.#tokens, request);
    // Without tokens a browser's own word is all that keeps a web page from running code.
    const untold = need === 'submit' ? untoldSiteProblem(request) : undefined;
    if (untold) throw untold;
    return undefined;
  }

  /**
   * What whoever asks may not do.
   *
   * @param token what `identify` gave
   * @throws Problem RATE_LIMITED, INSUFFICIENT_SCOPE, GROUP_NOT_ALLOWED.
   */
  admit(token: Token | undefined, need: Need): void {
    if (!token) return;
    requirePace(token, this.#clock.monotonicMs());
    requireRights(token, need);
  }

  /**
   * What a token that came in may do by now: it may have been revoked or changed, or have expired.
   *
   * @param token what `identify` gave
   * @throws Problem UNAUTHORIZED, INSUFFICIENT_SCOPE, GROUP_NOT_ALLOWED.
   */
  rightsNow(token: Token, need: Need): Rights {
    const now = requireStanding(this.#tokens?.latest(token), token, this.#clock.wallMs());
    requireRights(now, need);
    return now;
  }

  /**
   * Takes one more of a token's rate, for a line of a batch: 0; or says how long until there is one,
   * in milliseconds. Of a burst one is left for a request beside the batch, such as one that cancels it.
   */
  paceLine(token: Token): number {
    return this.#tokens?.latest(token)?.bucket?.take(this.#clock.monotonicMs(), 1) ?? 0;
  }

  #requireToken(tokens: Tokens, request: IncomingMessage): Token {
    const shown = shownBy(request.headers, this.#clock.wallMs());
    const { remoteAddress } = request.socket;
    const nowMs = this.#clock.monotonicMs();
    // Tokens of ours nobody guesses, so theirs is never the fault of who shares their address. Others
    // might be guessed: of an address that failed too often they are not looked at. Whoever guesses
    // can make sessions of guesses, so it does not matter by what a token is shown.
    const waitMs = this.#failures.waitMs(remoteAddress, nowMs);
    const { token } = shown;
    const isLookedAt = token !== undefined && (waitMs === 0 || tokenKind(token) === 'made');
    try {
      return requireValid(isLookedAt ? tokens.find(token) : undefined, shown, this.#clock.wallMs());
    } catch (refusal) {
      const pauseMs = this.#failures.add(remoteAddress, nowMs);
      if (pauseMs === 0) throw refusal;
      const detail =
        'too many requests from this address showed no valid token: wait, then show one';
      throw problem('RATE_LIMITED', detail, {}, retryAfter(pauseMs));
    }
  }
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
