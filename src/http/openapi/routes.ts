import type { FastifyInstance } from 'fastify';
import { docsPage } from './docs-page.js';
import { type DocumentedRoute, openApiDocument } from './document.js';
import { getDocument } from './service-operations.js';
import { sendShared } from './shared-bytes.js';

/**
 * GET /openapi.json, of every route that is added to `app` from now on and says what it does
 * (`config.operation`), and GET /docs, which shows it. Both are open: they tell nothing but what the
 * package tells, and a browser has no token to show before there is a page to give it to.
 *
 * @param asksForTokens the other routes ask for one
 */
export function openApiRoutes(app: FastifyInstance, asksForTokens: boolean): void {
  const routes: DocumentedRoute[] = [];
  app.addHook('onRoute', ({ method, url, config }) => {
    const operation = config?.operation;
    // HEAD goes without saying.
    for (const name of operation ? [method].flat() : []) {
      if (name === 'HEAD' || !operation) continue;
      routes.push({ method: name, url, need: config?.need ?? 'token', operation });
    }
  });
  let document: Buffer | undefined;
  app.get(
    '/openapi.json',
    { exposeHeadRoute: true, config: { operation: getDocument } },
    async (_request, reply) => {
      document ??= Buffer.from(JSON.stringify(openApiDocument(routes, asksForTokens)));
      return sendShared(reply, 'application/json; charset=utf-8', document);
    },
  );
  docsPage(app);
}
