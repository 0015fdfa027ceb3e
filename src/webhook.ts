import { type Static, Type } from 'typebox';
import { invariant } from './invariant.js';
import { OneOf } from './schema.js';

/** The shapes of webhooks: who is told that a task is finished, and what came of telling them. */

const closed = { additionalProperties: false } as const;
/** Milliseconds since 1970-01-01 UTC. */
const time = () => Type.Number({ minimum: 0 });

/** What a webhook may be told of. */
export const webhookEvents = ['finished'] as const;

export const webhookShapeLimits = {
  urlCharactersMax: 2_048,
  /** Of a DNS name, as the URL has it: of one that is not ASCII, its Punycode. Source: RFC 1035, 3.1 */
  hostCharactersMax: 253,
  originCharactersMax: 512,
  /** Of a signing secret: `whsec_`, then the base64 of so many bytes. */
  secretBytesMin: 24,
  secretBytesMax: 64,
  /** Attempts that the log of a delivery keeps, the newest. */
  attemptsKeptMax: 20,
  errorCharactersMax: 512,
} as const;

invariant(
  'https://'.length + webhookShapeLimits.hostCharactersMax + ':65535'.length <=
    webhookShapeLimits.originCharactersMax,
  'what a task shows of its webhook fits into a message',
);

const events = Type.Array(OneOf(webhookEvents), { minItems: 1, maxItems: webhookEvents.length });

/** Whom a caller wants told. `webhookFault` says what of it can't be. */
export const Webhook = Type.Object(
  {
    url: Type.String({ minLength: 1, maxLength: webhookShapeLimits.urlCharactersMax }),
    /** Signs what is sent; absent: the service's own. */
    secret: Type.Optional(Type.String({ maxLength: 128 })),
    /** Default: finished. */
    events: Type.Optional(events),
  },
  closed,
);
export type Webhook = Static<typeof Webhook>;

/** What a task shows of its webhook: neither the path and query, which may be secret, nor the secret. */
export const WebhookTarget = Type.Object(
  { origin: Type.String({ maxLength: webhookShapeLimits.originCharactersMax }) },
  closed,
);
export type WebhookTarget = Static<typeof WebhookTarget>;

/**
 * What a store has, as messages take it. Versions before took names of any length: of those it is the
 * beginning.
 */
export function shownTarget(target: WebhookTarget): WebhookTarget {
  const { originCharactersMax: most } = webhookShapeLimits;
  return target.origin.length <= most ? target : { origin: target.origin.slice(0, most) };
}

/** One POST, and what came back. */
export const DeliveryAttempt = Type.Object(
  {
    at: time(),
    durationMs: Type.Number({ minimum: 0 }),
    /** HTTP status of the answer; absent when there was none. Versions before kept some below 100. */
    status: Type.Optional(Type.Integer({ minimum: 0, maximum: 999 })),
    /** One sentence: why it does not count as delivered. */
    error: Type.Optional(Type.String({ maxLength: webhookShapeLimits.errorCharactersMax })),
  },
  closed,
);
export type DeliveryAttempt = Static<typeof DeliveryAttempt>;

export const deliveryStates = ['due', 'delivered', 'failed'] as const;

/** How far telling of one end of one task has come. */
export const Delivery = Type.Object(
  {
    /** The end that it is about: a task that is sent again has another. */
    finishedAt: time(),
    state: OneOf(deliveryStates),
    /** When it became due, at first or by order: its age counts from here. */
    since: time(),
    /** Attempts since then. */
    tries: Type.Integer({ minimum: 0 }),
    /** The newest ones, oldest first. */
    attempts: Type.Array(DeliveryAttempt, { maxItems: webhookShapeLimits.attemptsKeptMax }),
    /** While it is due. */
    nextAttemptAt: Type.Optional(time()),
    /** One sentence: why it was given up. */
    reason: Type.Optional(Type.String({ maxLength: webhookShapeLimits.errorCharactersMax })),
  },
  closed,
);
export type Delivery = Static<typeof Delivery>;

/** A delivery of an end that nobody has been told of. */
export function newDelivery(finishedAt: number): Delivery {
  const since = Math.floor(finishedAt);
  return { finishedAt, state: 'due', since, tries: 0, attempts: [], nextAttemptAt: since };
}

/** Names what is told, the same in every attempt: receivers know by it what they have had. */
export function webhookId(taskId: string, finishedAt: number): string {
  return `task-${taskId}-${Math.floor(finishedAt)}`;
}

/** Why a webhook can't be one; undefined when it can. `field` is one of the task. */
export function webhookFault(webhook: Webhook): { field: string; message: string } | undefined {
  const message = urlFault(webhook.url);
  if (message !== undefined) return { field: 'webhook.url', message };
  const { secret } = webhook;
  if (secret === undefined || secretBytes(secret)) return undefined;
  const { secretBytesMin: least, secretBytesMax: most } = webhookShapeLimits;
  const wanted =
    `\`webhook.secret\` must be \`whsec_\` and the base64 of ${least} to ${most} random bytes: ` +
    'make one with `echo whsec_$(openssl rand -base64 32)`';
  return { field: 'webhook.secret', message: wanted };
}

function urlFault(text: string): string | undefined {
  const example = 'write one such as https://example.com/done';
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url) return `\`webhook.url\` is not a URL: ${example}`;
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return `\`webhook.url\` must begin with https:// or http://: ${example}`;
  }
  if (url.username !== '' || url.password !== '') {
    return '`webhook.url` has a user name or a password in it: leave them out, requests are signed';
  }
  if (!isSanePort(url.port)) {
    return `\`webhook.url\` has port ${url.port}: it must be 80, 443 or from 1024 on`;
  }
  const { length } = url.hostname;
  const most = webhookShapeLimits.hostCharactersMax;
  if (length > most) {
    return `\`webhook.url\` has a host of ${length} characters; names have at most ${most}: ${example}`;
  }
  return undefined;
}

/** Below 1024 stand services that are not meant for this, such as mail. Empty: the scheme's own. */
function isSanePort(port: string): boolean {
  return port === '' || port === '80' || port === '443' || Number(port) >= 1024;
}

/**
 * The key of a signing secret; undefined when it is none.
 *
 * Source: Standard Webhooks, "Signature scheme"
 */
export function secretBytes(secret: string): Buffer | undefined {
  const base64 = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret)?.[1];
  if (base64 === undefined || base64.length % 4 !== 0) return undefined;
  const bytes = Buffer.from(base64, 'base64');
  const { secretBytesMin, secretBytesMax } = webhookShapeLimits;
  return bytes.length >= secretBytesMin && bytes.length <= secretBytesMax ? bytes : undefined;
}
