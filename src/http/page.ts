import { randomBytes } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { greet } from './openapi/service-operations.js';
import { sendShared } from './openapi/shared-bytes.js';
import type { PageAsset, PageFiles } from './page-files.js';
import { problem } from './problem.js';

/** What the page has no use for, and so no script in it may ask for either. */
const features = [
  'accelerometer',
  'autoplay',
  'camera',
  'clipboard-read',
  'display-capture',
  'encrypted-media',
  'fullscreen',
  'geolocation',
  'gyroscope',
  'hid',
  'idle-detection',
  'magnetometer',
  'microphone',
  'midi',
  'payment',
  'picture-in-picture',
  'publickey-credentials-get',
  'screen-wake-lock',
  'serial',
  'usb',
  'xr-spatial-tracking',
];

/** Of everything that belongs to the page: no other origin embeds, opens or is told of it. */
const isolation = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'permissions-policy': features.map((name) => `${name}=()`).join(', '),
};

/** Names have a hash of what is in them: what is there once stays so. */
const lasting = { 'cache-control': 'public, max-age=31536000, immutable' };

const nonceBytes = 16;

/**
 * GET /: the page for browsers, a greeting for others. GET /assets/NAME: what the page loads.
 *
 * @param files undefined: the page was not built
 */
export function pageRoutes(app: FastifyInstance, files: PageFiles | undefined): void {
  const config = { operation: greet, isLinked: true } as const;
  app.get('/', { exposeHeadRoute: true, config }, async (request, reply) => {
    reply.header('vary', 'accept');
    return files && wantsPage(request.headers.accept)
      ? sendPage(reply, files.html)
      : sendGreeting(reply, request.headers.host);
  });

  app.get<{ Params: { '*': string } }>(
    '/assets/*',
    { exposeHeadRoute: true, config: { undocumented: true } },
    async (request, reply) => {
      const asset = files?.assets.get(request.params['*']);
      if (!asset) throw problem('NOT_FOUND', 'the page has no such file: load it again');
      return sendAsset(request, reply, asset);
    },
  );
}

/** Of an Accept header: that whoever asks knows what to do with a page. curl takes whatever comes. */
function wantsPage(accept = ''): boolean {
  return /(?:^|,)\s*text\/html\s*(?:[;,]|$)/i.test(accept);
}

function sendPage(reply: FastifyReply, html: readonly Buffer[]): FastifyReply {
  const nonce = randomBytes(nonceBytes).toString('base64url');
  const [first = Buffer.alloc(0), ...others] = html;
  const parts = [first, ...others.flatMap((part) => [Buffer.from(nonce), part])];
  reply.headers({ ...isolation, 'content-security-policy': policyWith(nonce) });
  return sendShared(reply, 'text/html; charset=utf-8', ...parts);
}

/**
 * Everything comes from here, and nothing that was put into the page runs. The editor makes a style
 * element of its own: it is told the nonce.
 *
 * Source: https://www.w3.org/TR/CSP3/ , https://www.w3.org/TR/trusted-types/
 */
function policyWith(nonce: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "connect-src 'self'",
    "font-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; ');
}

function sendAsset(request: FastifyRequest, reply: FastifyReply, asset: PageAsset): FastifyReply {
  reply.headers({ ...isolation, ...lasting, vary: 'accept-encoding' });
  const accepted = request.headers['accept-encoding'];
  for (const coding of ['br', 'gzip'] as const) {
    const bytes = asset[coding];
    if (!bytes || !acceptsCoding(coding, accepted)) continue;
    return sendShared(reply.header('content-encoding', coding), asset.type, bytes);
  }
  return sendShared(reply, asset.type, asset.identity);
}

/** Source: RFC 9110, 12.5.3. */
function acceptsCoding(coding: string, header: string | string[] = ''): boolean {
  const item = new RegExp(`(?:^|,)\\s*${coding}\\s*(?:;\\s*q=([\\d.]+)\\s*)?(?:,|$)`, 'i');
  const found = item.exec(String(header));
  return found !== null && Number(found[1] ?? 1) > 0;
}

/** What one who opens the bare address sees. */
function sendGreeting(reply: FastifyReply, host = 'localhost:5000'): FastifyReply {
  const base = `http://${host}`;
  return reply
    .type('text/plain; charset=utf-8')
    .send(
      [
        'scriptd: submit a script over HTTP; get back its output, its verdict and what it cost.',
        '',
        'Run a script and wait for its output:',
        `  curl --data-binary 'print(1+1)' ${base}/execute`,
        `  curl '${base}/execute?code=print%281%2B1%29'`,
        '',
        'Submit a task, and look at it:',
        `  curl --json '{"code": "print(1+1)"}' ${base}/v1/tasks`,
        `  curl ${base}/v1/tasks/ID`,
        '',
        'All that there is:',
        `  ${base}/docs`,
        `  ${base}/openapi.json`,
        '',
      ].join('\n'),
    );
}
