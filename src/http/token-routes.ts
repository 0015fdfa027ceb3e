import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { validator } from '../schema.js';
import type { Audit } from './audit.js';
import { ignoreBodies } from './bodies.js';
import { httpLimits } from './limits.js';
import { createToken, listTokens, revokeToken } from './openapi/token-operations.js';
import { type Problem, problem } from './problem.js';
import { readQuery } from './query.js';
import type { TokenBook } from './token-book.js';
import type { AskedToken } from './token-changes.js';
import { TokenRecord } from './token-record.js';

const { name, scopes, group, rate, expiresAt } = TokenRecord.properties;

/** The body of POST /v1/tokens. */
export const TokenBody = Type.Object(
  { name, scopes, group, rate, expiresAt },
  { additionalProperties: false },
);
const bodies = validator(TokenBody);

interface ById {
  Params: { id: string };
}

/**
 * The tokens of the service: lists, makes and revokes them.
 *
 * @param book undefined: it has none, or has them from no file
 */
export function tokenRoutes(app: FastifyInstance, book: TokenBook | undefined, audit: Audit): void {
  const theBook = () => {
    if (book) return book;
    const cure = 'start it with --token-file FILE, which scriptd token create makes';
    throw problem('NO_TOKENS', `this service has no file of tokens: ${cure}`);
  };

  app.get(
    '/v1/tokens',
    { exposeHeadRoute: true, config: { operation: listTokens } },
    async (request) => {
      readQuery(request.url, []);
      const { tokens, ...rest } = await theBook().list();
      const own = request.caller?.id;
      const marked = tokens.map((one) => (one.id === own ? { ...one, current: true } : one));
      return { tokens: marked, ...rest };
    },
  );

  app.post('/v1/tokens', { config: { operation: createToken } }, async (request, reply) => {
    readQuery(request.url, []);
    const { token, ...record } = await theBook().create(readBody(request.body), request.caller);
    audit.changed(request, 'created', record);
    return reply.code(201).send({ ...record, token });
  });

  app.register(async (scope) => {
    ignoreBodies(scope);
    scope.delete<ById>(
      '/v1/tokens/:id',
      { config: { operation: revokeToken } },
      async (request, reply) => {
        readQuery(request.url, []);
        const { id } = request.params;
        if (id === request.caller?.id) throw ownToken();
        const revoked = await theBook().revoke(id.slice(0, httpLimits.nameMax), request.caller);
        audit.changed(request, 'revoked', revoked);
        return reply.code(204).send();
      },
    );
  });
}

/** @throws Problem INVALID_FIELD */
function readBody(body: unknown): AskedToken {
  if (bodies.fits(body)) return body;
  const { field = '', message = 'the body does not fit' } = bodies.misfit(body) ?? {};
  const named = field.slice(0, httpLimits.nameMax);
  throw problem('INVALID_FIELD', message, named ? { field: named } : {});
}

function ownToken(): Problem {
  const cure = 'use another of scope admin, or scriptd token revoke on the host';
  return problem('OWN_TOKEN', `a token does not revoke itself: ${cure}`);
}
