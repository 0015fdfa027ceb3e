import { STATUS_CODES } from 'node:http';
import { type TSchema, Type } from 'typebox';
import { type ProblemCode, problemKinds } from '../problem.js';
import type { Need } from '../scopes.js';
import type { Header, Operation } from './operation.js';
import { problemTexts } from './problem-texts.js';
import { Reference } from './reference.js';

/** Codes that come from one place of the code, for the operations that pass by it. */
export const problemsOf = {
  /** The guard, Fastify, and Node's parser of HTTP: before a route is asked. */
  everyRoute: [
    'BAD_REQUEST',
    'INVALID_URL',
    'INVALID_HOST',
    'CROSS_SITE',
    'HOST_NOT_ALLOWED',
    'REQUEST_TIMEOUT',
    'URL_TOO_LONG',
    'HEADERS_TOO_LARGE',
    'INTERNAL',
    'DRAINING',
    'OVERLOADED',
    'UNSUPPORTED_CONTENT_ENCODING',
  ],
  /** The guard and the group of a token, where the service has tokens and the route is not open. */
  token: ['UNAUTHORIZED', 'RATE_LIMITED'],
  /** The guard, where the route asks for a scope. */
  scope: ['INSUFFICIENT_SCOPE'],
  /** `readQuery`. */
  query: ['UNKNOWN_PARAMETER', 'REPEATED_PARAMETER', 'INVALID_ENCODING', 'INVALID_UTF8'],
  /** The parser of JSON, and the validator of what it holds. */
  json: [
    'INVALID_JSON',
    'INVALID_UTF8',
    'INVALID_FIELD',
    'BODY_TOO_LARGE',
    'UNSUPPORTED_CONTENT_TYPE',
  ],
  /** The link to the controller. */
  controller: ['CONTROLLER_UNAVAILABLE', 'CONTROLLER_LOST', 'OVERLOADED'],
  /** Whatever is to be durable. */
  store: ['STORE_READ_ONLY', 'STORE_TAKEN', 'STORE_SLOW', 'STORE_FAILED', 'STORE_FULL'],
  /** The controller, asked to take a task in. */
  submission: [
    'UNKNOWN_TYPE',
    'NO_ROUTE',
    'LIMIT_TOO_HIGH',
    'NETWORK_NOT_ALLOWED',
    'WEBHOOK_NOT_ALLOWED',
    'GROUP_OVERLOADED',
    'GROUP_NOT_ALLOWED',
  ],
} as const satisfies Record<string, readonly ProblemCode[]>;

/** An answer of the document that is no success. */
export interface ProblemAnswer {
  description: string;
  headers?: Record<string, Header>;
  content: { 'application/problem+json': { schema: TSchema; examples: Record<string, unknown> } };
}

/**
 * The answers of an operation that are no success, by status.
 *
 * @param need who may use the route
 */
export function problemAnswers(operation: Operation, need: Need): Record<string, ProblemAnswer> {
  const codes = new Set<ProblemCode>([
    ...operation.problems,
    ...problemsOf.everyRoute,
    ...(need === 'open' ? [] : problemsOf.token),
    ...(need === 'open' || need === 'token' ? [] : problemsOf.scope),
    ...(need === 'read-all' ? (['GROUP_NOT_ALLOWED'] as const) : []),
  ]);
  const rows = [...codes].map((code) => rowOf(code, operation));
  const statuses = new Set([...rows.map(({ status }) => status), ...failureStatuses(operation)]);
  const answers = [...statuses].sort().map((status) => [
    String(status),
    answerOf(
      status,
      rows.filter((row) => row.status === status),
      operation,
    ),
  ]);
  return Object.fromEntries(answers);
}

interface Row {
  code: ProblemCode;
  status: number;
  retryAfter: boolean;
}

function rowOf(code: ProblemCode, { statuses = {} }: Operation): Row {
  const kind: { status: number; retryAfterSeconds?: number } = problemKinds[code];
  const retryAfter = kind.retryAfterSeconds !== undefined;
  return { code, status: statuses[code] ?? kind.status, retryAfter };
}

function failureStatuses({ failures = {} }: Operation): number[] {
  return Object.keys(failures).map(Number);
}

function answerOf(status: number, rows: readonly Row[], operation: Operation): ProblemAnswer {
  const failure = operation.failures?.[status];
  const lines = rows.map(({ code }) => `- \`${code}\`: ${problemTexts[code]}`);
  const examples = rows.map(({ code }) => [code, { value: exampleOf(status, code) }]);
  const codes = [...rows.map(({ code }) => code), ...(failure?.codes ?? [])];
  const schema = Type.Unsafe({
    ...Reference('Problem'),
    type: 'object',
    properties: { status: { const: status }, code: { enum: [...new Set(codes)] } },
  });
  const headers = headersOf(status, rows, operation);
  return {
    description: [...lines, ...(failure ? [`- ${failure.description}`] : [])].join('\n'),
    ...(Object.keys(headers).length > 0 && { headers }),
    content: {
      'application/problem+json': {
        schema,
        examples: { ...Object.fromEntries(examples), ...valuesOf(failure?.examples ?? {}) },
      },
    },
  };
}

function headersOf(
  status: number,
  rows: readonly Row[],
  { failures = {} }: Operation,
): Record<string, Header> {
  return {
    ...(rows.some(({ retryAfter }) => retryAfter) && { 'Retry-After': retryAfter }),
    ...(status === 401 && { 'WWW-Authenticate': challenge }),
    ...failures[status]?.headers,
  };
}

const retryAfter: Header = {
  description: 'When to ask again, in seconds from now.',
  schema: Type.Integer({ minimum: 1 }),
};

const challenge: Header = {
  description: 'That a bearer token is asked for, and whether the one that was shown is unknown.',
  schema: Type.String(),
  required: true,
};

function exampleOf(status: number, code: ProblemCode): object {
  const detail = problemTexts[code];
  return { type: 'about:blank', title: STATUS_CODES[status], status, detail, code };
}

/** As the document has them. */
export function valuesOf(examples: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(examples).map(([name, value]) => [name, { value }]));
}
