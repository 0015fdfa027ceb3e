import type { FastifyInstance } from 'fastify';

/** Within this scope the body of an order that needs none is not looked at. */
export function ignoreBodies(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser(
    '*',
    { parseAs: 'buffer', bodyLimit: 1024 },
    (_request, _body, done) => {
      done(null);
    },
  );
}
