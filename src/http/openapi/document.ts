import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../native.js';
import type { Need, Scope } from '../scopes.js';
import { type Answer, type Content, type Operation, type Parameter, tags } from './operation.js';
import { problemAnswers, valuesOf } from './problems.js';
import { schemas } from './schemas.js';

/** A route, and what it says of itself. */
export interface DocumentedRoute {
  /** Upper case. */
  method: string;
  /** As Fastify has it, e.g. /v1/tasks/:id */
  url: string;
  /** Who may use it. */
  need: Need;
  operation: Operation;
}

const description = `
Submit a script, get back its output, its verdict and what it cost.

- Names end in their unit: \`wallMs\` is in milliseconds, \`outputBytes\` in bytes. Times are RFC 3339, in UTC.
- Below \`/v1\` and at \`/execute\`, unknown query parameters are refused, and unknown members of every body, with the nearest known name.
- Whatever is not a success is \`application/problem+json\` (RFC 9457). Its \`code\` is stable: match on it.
- A path that takes GET takes HEAD too, but for \`/execute\`, \`/v1/tasks/events\` and \`/v1/tasks/{id}/events\`. Another method is answered with 405 \`METHOD_NOT_ALLOWED\` and \`Allow\`, another path with 404 \`NOT_FOUND\`.
`.trim();

/**
 * The document of these routes.
 *
 * @param asksForTokens whoever shows no token is refused, but at open routes
 *
 * Source: https://spec.openapis.org/oas/v3.1.1.html
 */
export function openApiDocument(
  routes: readonly DocumentedRoute[],
  asksForTokens: boolean,
): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  // Without tokens there is no scope, either.
  const withoutToken = asksForTokens ? [] : [{}];
  for (const { method, url, need, operation } of routes) {
    const path = url.replace(/:(\w+)/g, '{$1}');
    const security = need === 'open' ? [] : [...withoutToken, { bearer: scopesOf(need) }];
    const json = { ...operationJson(operation, need), security };
    paths[path] = { ...paths[path], [method.toLowerCase()]: json };
  }
  return {
    openapi: '3.1.1',
    // Who only reaches the service is not told which faults it may have.
    info: {
      title: 'scriptd',
      version: asksForTokens ? '1' : version,
      description,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/', description: 'Where this document comes from.' }],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas,
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description:
            'A token of the service, with the scope that the operation names. Without tokens it answers on loopback only.',
        },
      },
    },
  };
}

const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
  version: string;
};

/** As OpenAPI 3.1 calls them: the roles that a token has to have. */
function scopesOf(need: Exclude<Need, 'open'>): Scope[] {
  if (need === 'token') return [];
  return [need === 'read-all' ? 'read' : need];
}

function operationJson(operation: Operation, need: Need): Record<string, unknown> {
  const { id, tag, summary, description, parameters = [], body, answers } = operation;
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    ...(parameters.length > 0 && { parameters: parameters.map(parameterJson) }),
    ...(body && {
      requestBody: {
        description: body.description,
        required: body.required ?? true,
        content: contentJson(body.content),
      },
    }),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, answer]) => [status, answerJson(answer)]),
      ),
      ...problemAnswers(operation, need),
    },
  };
}

function parameterJson({ name, in: place, required = false, ...rest }: Parameter): object {
  return { name, in: place, required, ...rest };
}

function answerJson({ description, headers, content, links }: Answer): object {
  return {
    description,
    ...(headers && { headers }),
    ...(content && { content: contentJson(content) }),
    ...(links && {
      links: Object.fromEntries(
        Object.entries(links).map(([operationId, parameters]) => [
          operationId,
          { operationId, parameters },
        ]),
      ),
    }),
  };
}

function contentJson(content: Readonly<Record<string, Content>>): object {
  return Object.fromEntries(
    Object.entries(content).map(([type, { schema, examples }]) => [
      type,
      { schema, ...(examples && { examples: valuesOf(examples) }) },
    ]),
  );
}
