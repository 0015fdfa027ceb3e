import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import { type Clock, systemClock } from '../clock.js';
import { packageRoot } from '../native.js';
import { validator } from '../schema.js';
import { shownToken, unsignedIn } from './auth.js';
import { ignoreBodies } from './bodies.js';
import { httpLimits } from './limits.js';
import { getSession, signIn, signOut } from './openapi/session-operations.js';
import { problem } from './problem.js';
import { readQuery } from './query.js';
import { type Scope, scopes } from './scopes.js';
import { sealSession } from './session.js';
import { forgetSession, sessionCookie, sessionPort } from './session-cookie.js';
import { timeText } from './time-text.js';
import type { Token } from './tokens.js';

/** The body of POST /v1/session. */
export const SignInBody = Type.Object(
  {
    /** The browser keeps the session when it is closed. */
    remember: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);
const bodies = validator(SignInBody);

/** What the caller may do. */
interface SessionJson {
  /** The service asks for them. */
  tokens: boolean;
  name?: string;
  /** With those that `admin` stands for. */
  scopes: readonly Scope[];
  group?: string;
  expiresAt?: string;
  version: string;
}

const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
  version: string;
};

/**
 * A browser signs in with a token, asks who it is, and signs out. session.ts says what a session is.
 *
 * @param asksForTokens the service has tokens
 */
export function sessionRoutes(
  app: FastifyInstance,
  asksForTokens: boolean,
  clock: Clock = systemClock,
): void {
  app.post('/v1/session', { config: { operation: signIn } }, async (request, reply) => {
    readQuery(request.url, []);
    const { remember = false } = readBody(request.body);
    const { caller } = request;
    if (!asksForTokens || !caller) {
      const detail = 'this service asks for no tokens: there is nothing to sign in with';
      throw problem('NO_TOKENS', detail);
    }
    const token = tokenToKeep(request);
    const lifeMs = Math.min(httpLimits.sessionMs, caller.expiresAtMs - clock.wallMs());
    const endMs = clock.wallMs() + lifeMs;
    const { key, sealed } = sealSession(token, sessionPort(request.headers), endMs);
    const cookie = sessionCookie(request.headers, sealed, remember ? lifeMs : undefined);
    reply.header('set-cookie', cookie);
    return { key, ...sessionJson(caller) };
  });

  app.get(
    '/v1/session',
    { exposeHeadRoute: true, config: { operation: getSession } },
    async (request) => {
      readQuery(request.url, []);
      return sessionJson(request.caller);
    },
  );

  app.register(async (scope) => {
    ignoreBodies(scope);
    scope.delete('/v1/session', { config: { operation: signOut } }, async (request, reply) => {
      readQuery(request.url, []);
      return reply.code(204).header('set-cookie', forgetSession(request.headers)).send();
    });
  });
}

/** @throws Problem INVALID_FIELD */
function readBody(body: unknown): Static<typeof SignInBody> {
  const asked = body === undefined ? {} : body;
  if (bodies.fits(asked)) return asked;
  const { field = '', message = 'the body does not fit' } = bodies.misfit(asked) ?? {};
  const named = field.slice(0, httpLimits.nameMax);
  throw problem('INVALID_FIELD', message, named ? { field: named } : {});
}

/**
 * The token itself, which the guard has found valid.
 *
 * @throws Problem UNAUTHORIZED, for a session, which would outlive itself; HEADERS_TOO_LARGE
 */
function tokenToKeep({ headers }: FastifyRequest): string {
  const token = shownToken(headers.authorization);
  if (token === undefined) throw unsignedIn();
  if (Buffer.byteLength(token) <= httpLimits.sessionTokenBytesMax) return token;
  const most = httpLimits.sessionTokenBytesMax;
  const detail = `no browser keeps a token of more than ${most} bytes: sign in with a shorter one`;
  throw problem('HEADERS_TOO_LARGE', detail);
}

function sessionJson(caller: Token | undefined): SessionJson {
  if (!caller) return { tokens: false, scopes, version };
  const { name, group, expiresAtMs } = caller;
  return {
    tokens: true,
    name,
    scopes: caller.scopes.includes('admin') ? scopes : caller.scopes,
    ...(group !== undefined && { group }),
    ...(Number.isFinite(expiresAtMs) && { expiresAt: timeText(expiresAtMs) }),
    version,
  };
}
