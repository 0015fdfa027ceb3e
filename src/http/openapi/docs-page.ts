import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { FastifyInstance } from 'fastify';
import { sendShared } from './shared-bytes.js';

const require = createRequire(import.meta.url);

/** Everything comes from here, nothing is written into the page, and nobody may frame it. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Its paths are relative: a proxy may put a prefix before all of them. */
const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>scriptd: the HTTP API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="stylesheet" href="docs/docs.css">
<main id="docs"><p class="waiting">The document is being read…</p></main>
<noscript>This page needs JavaScript; <a href="openapi.json">openapi.json</a> does not.</noscript>
<script src="docs/swagger-ui.js"></script>
<script src="docs/docs.js"></script>
</html>
`;

/** Asks nobody whether the document is valid, and keeps no token when the page is left. */
const script = `SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#docs',
  layout: 'BaseLayout',
  deepLinking: true,
  validatorUrl: null,
  persistAuthorization: false,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  requestSnippetsEnabled: true,
  syntaxHighlight: { activated: true },
  displayOperationId: true,
});
`;

const style = `body { margin: 0; background: #fff; color: #1f2933; }
.waiting { padding: 3rem; text-align: center; font-family: sans-serif; }
.swagger-ui .info { margin: 2rem 0 1rem; }
.swagger-ui .info .title { font-size: 2rem; }
.swagger-ui .info li { margin: 0.25rem 0; }
.swagger-ui .scheme-container { box-shadow: none; padding: 0; margin: 0 0 1rem; }
.swagger-ui .scheme-container .servers-title, .swagger-ui .servers { display: none; }
.swagger-ui .opblock-tag { font-size: 1.25rem; padding: 0.5rem 0; }
.swagger-ui .opblock { margin: 0 0 0.4rem; box-shadow: none; }
.swagger-ui .opblock .opblock-summary-operation-id { opacity: 0.6; font-size: 0.8rem; }
.swagger-ui .highlight-code > .microlight { max-height: 18rem; }
.swagger-ui .response-col_links { display: none; }
.swagger-ui .response-col_description ul { margin: 0 0 0.5rem; padding-left: 1rem; }
.swagger-ui table.responses-table > tbody > tr > td { padding: 0.6rem 0; border-top: 1px solid #e4e7eb; }
`;

interface Asset {
  type: string;
  read(): Buffer;
}

const ours = (type: string, text: string): Asset => ({ type, read: () => Buffer.from(text) });
const theirs = (type: string, file: string): Asset => ({
  type,
  read: () => readFileSync(require.resolve(`@fastify/swagger-ui/static/${file}`)),
});

const assets: Readonly<Record<string, Asset>> = {
  '/docs': ours('text/html; charset=utf-8', html),
  '/docs/docs.js': ours('text/javascript; charset=utf-8', script),
  '/docs/docs.css': ours('text/css; charset=utf-8', style),
  '/docs/swagger-ui.js': theirs('text/javascript; charset=utf-8', 'swagger-ui-bundle.js'),
  '/docs/swagger-ui.css': theirs('text/css; charset=utf-8', 'swagger-ui.css'),
};

/** GET /docs: the document for people, by Swagger UI. No request of it leaves the host. */
export function docsPage(app: FastifyInstance): void {
  const config = { undocumented: true } as const;
  for (const [path, { type, read }] of Object.entries(assets)) {
    let bytes: Buffer | undefined;
    app.get(path, { exposeHeadRoute: true, config }, async (_request, reply) => {
      bytes ??= read();
      reply.headers({ 'content-security-policy': policy, 'referrer-policy': 'no-referrer' });
      return sendShared(reply, type, bytes);
    });
  }
}
