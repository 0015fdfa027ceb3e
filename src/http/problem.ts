import { STATUS_CODES } from 'node:http';
import { errorCode, errorMessage } from '../errors.js';
import { httpLimits } from './limits.js';

/**
 * Every code that an answer may carry besides a task's own (those are in verdict.ts), with its
 * status. `retryAfterSeconds` becomes a Retry-After header, unless the controller says a time itself.
 */
export const problemKinds = {
  BAD_REQUEST: { status: 400 },
  INVALID_URL: { status: 400 },
  INVALID_HOST: { status: 400 },
  INVALID_ENCODING: { status: 400 },
  INVALID_UTF8: { status: 400 },
  INVALID_JSON: { status: 400 },
  INVALID_FIELD: { status: 400 },
  INVALID_TASK_ID: { status: 400 },
  BAD_CURSOR: { status: 400 },
  MISSING_CODE: { status: 400 },
  UNKNOWN_PARAMETER: { status: 400 },
  REPEATED_PARAMETER: { status: 400 },
  UNAUTHORIZED: { status: 401 },
  CROSS_SITE: { status: 403 },
  GROUP_NOT_ALLOWED: { status: 403 },
  HOST_NOT_ALLOWED: { status: 403 },
  INSUFFICIENT_SCOPE: { status: 403 },
  NOT_FOUND: { status: 404 },
  UNKNOWN_TASK: { status: 404 },
  NO_WEBHOOK: { status: 404 },
  UNKNOWN_SCHEDULE: { status: 404 },
  NO_TOKENS: { status: 404 },
  UNKNOWN_TOKEN: { status: 404 },
  METHOD_NOT_ALLOWED: { status: 405 },
  REQUEST_TIMEOUT: { status: 408 },
  ALREADY_FINISHED: { status: 409 },
  NOT_FINISHED: { status: 409 },
  IDEMPOTENCY_KEY_SPENT: { status: 409 },
  SCHEDULE_EXISTS: { status: 409 },
  TOO_MANY_SCHEDULES: { status: 409 },
  TOKEN_EXISTS: { status: 409 },
  OWN_TOKEN: { status: 409 },
  TOKENS_UNWRITABLE: { status: 409 },
  BODY_TOO_LARGE: { status: 413 },
  CODE_TOO_LARGE: { status: 413 },
  URL_TOO_LONG: { status: 414 },
  UNSUPPORTED_CONTENT_TYPE: { status: 415 },
  UNSUPPORTED_CONTENT_ENCODING: { status: 415 },
  RANGE_NOT_SATISFIABLE: { status: 416 },
  UNKNOWN_TYPE: { status: 422 },
  NO_ROUTE: { status: 422 },
  LIMIT_TOO_HIGH: { status: 422 },
  NETWORK_NOT_ALLOWED: { status: 422 },
  WEBHOOK_NOT_ALLOWED: { status: 422 },
  OVERLOADED: { status: 429, retryAfterSeconds: 1 },
  GROUP_OVERLOADED: { status: 429, retryAfterSeconds: 1 },
  RATE_LIMITED: { status: 429, retryAfterSeconds: 1 },
  TOO_MANY_STREAMS: { status: 429, retryAfterSeconds: 5 },
  HEADERS_TOO_LARGE: { status: 431 },
  INTERNAL: { status: 500 },
  CONTROLLER_UNAVAILABLE: { status: 503, retryAfterSeconds: 1 },
  CONTROLLER_LOST: { status: 503, retryAfterSeconds: 1 },
  DRAINING: { status: 503, retryAfterSeconds: 5 },
  NOT_READY: { status: 503, retryAfterSeconds: 1 },
  TOKENS_BUSY: { status: 503, retryAfterSeconds: 1 },
  TOKENS_UNREADABLE: { status: 503, retryAfterSeconds: 30 },
  TOKENS_INVALID: { status: 503, retryAfterSeconds: 30 },
  STORE_READ_ONLY: { status: 503, retryAfterSeconds: 30 },
  STORE_TAKEN: { status: 503, retryAfterSeconds: 30 },
  STORE_SLOW: { status: 503, retryAfterSeconds: 1 },
  STORE_FAILED: { status: 503, retryAfterSeconds: 5 },
  STORE_FULL: { status: 507 },
} as const satisfies Record<string, { status: number; retryAfterSeconds?: number }>;
export type ProblemCode = keyof typeof problemKinds;

/** Members beside the standard ones, e.g. `field` or `taskId`; undefined is left out. */
export type Members = Record<string, unknown>;

/** Any answer that is not a success. Thrown by routes and hooks, sent in one place. */
export class Problem extends Error {
  override readonly name = 'Problem';

  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly members: Members = {},
    readonly headers: Record<string, string> = {},
  ) {
    super(detail);
  }

  /**
   * The body, `application/problem+json`. `type` is about:blank: the stable `code` names the
   * problem, docs/ERRORS.md explains it.
   *
   * Source: RFC 9457
   */
  body(): Members {
    const title = STATUS_CODES[this.status] ?? 'Error';
    const detail = this.detail.slice(0, httpLimits.detailMax);
    return {
      type: 'about:blank',
      title,
      status: this.status,
      detail,
      code: this.code,
      ...this.members,
    };
  }
}

/** A problem of the closed list above. */
export function problem(
  code: ProblemCode,
  detail: string,
  members: Members = {},
  headers: Record<string, string> = {},
): Problem {
  const kind: { status: number; retryAfterSeconds?: number } = problemKinds[code];
  const retry = kind.retryAfterSeconds ? { 'retry-after': String(kind.retryAfterSeconds) } : {};
  return new Problem(kind.status, code, detail, members, { ...retry, ...headers });
}

/** Fastify's own errors, and those of Node's HTTP parser, by their codes. */
const foreign: Record<string, { code: ProblemCode; detail: string }> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: 'UNSUPPORTED_CONTENT_TYPE',
    detail: 'the body must be JSON: send Content-Type: application/json',
  },
  FST_ERR_BAD_URL: { code: 'INVALID_URL', detail: 'the path of the URL cannot be decoded' },
  FST_ERR_MAX_PARAM_LENGTH: { code: 'URL_TOO_LONG', detail: 'a part of the path is too long' },
  HPE_HEADER_OVERFLOW: {
    code: 'HEADERS_TOO_LARGE',
    detail:
      `the URL and the headers are together larger than ${httpLimits.headBytesMax} bytes; ` +
      'send long code as the body of POST /execute',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    code: 'REQUEST_TIMEOUT',
    detail: 'the request did not arrive in time',
  },
};

/** The problem that a thrown value becomes; undefined when it is a fault of ours, to be logged. */
export function asProblem(error: unknown): Problem | undefined {
  if (error instanceof Problem) return error;
  const code = errorCode(error) ?? '';
  const known = Object.hasOwn(foreign, code) ? foreign[code] : undefined;
  if (known) return problem(known.code, known.detail);
  if (Object.hasOwn(problemKinds, code)) {
    const { field, retryAfterMs } = error as { field?: string; retryAfterMs?: number };
    const headers = retryAfterMs === undefined ? {} : retryAfter(retryAfterMs);
    return problem(code as ProblemCode, errorMessage(error), field ? { field } : {}, headers);
  }
  if (code.startsWith('HPE_')) {
    return problem('BAD_REQUEST', `this is not valid HTTP: ${errorMessage(error)}`);
  }
  const status = (error as { statusCode?: unknown } | null)?.statusCode;
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new Problem(status, 'BAD_REQUEST', errorMessage(error));
  }
  return undefined;
}

/** The header that says when asking again may help. */
export function retryAfter(ms: number): Record<string, string> {
  return { 'retry-after': String(Math.max(1, Math.ceil(ms / 1000))) };
}

/** What a fault of ours shows: nothing of its inside. */
export function internalProblem(): Problem {
  return problem('INTERNAL', 'something failed inside scriptd; its log says what');
}
