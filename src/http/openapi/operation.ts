import type { TSchema } from 'typebox';
import type { Code } from '../../verdict.js';
import type { ProblemCode } from '../problem.js';

/** What a route says of itself, beside its handler; document.ts makes a whole of all of them. */

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the document says of the route. */
    operation?: Operation;
    /** The document does not speak of it: a page that shows the document, or a refusal. */
    undocumented?: true;
  }
}

/** In the order in which they are shown. */
export const tags = {
  Tasks: 'Submit scripts, wait for them, look at what came of them.',
  Execute: 'Run one script and get its stdout, in a single request.',
  Schedules: 'Tasks that a clock submits.',
  Queues: 'The tasks of each type in numbers; to stop handing them out, and to go on.',
  Tokens: 'Who may ask for what; browsers that are signed in.',
  Service: 'Who works here, and whether all is well.',
} as const;
export type Tag = keyof typeof tags;

export interface Operation {
  /** The `operationId`: a verb and a noun, unique. */
  id: string;
  tag: Tag;
  /** One line, without a full stop. */
  summary: string;
  /** Markdown. */
  description?: string;
  parameters?: readonly Parameter[];
  body?: Body;
  /** What comes of a request that succeeds, by status. */
  answers: Readonly<Record<number, Answer>>;
  /** Codes of problems.ts's table that are its own; document.ts adds those of every route. */
  problems: readonly ProblemCode[];
  /** A code that has another status here than in the table. */
  statuses?: Readonly<Partial<Record<ProblemCode, number>>>;
  /** Further answers that are no success, by status. */
  failures?: Readonly<Record<number, Failure>>;
}

export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  /** Markdown, with the unit. */
  description: string;
  required?: boolean;
  schema: TSchema;
  example?: unknown;
}

export interface Body {
  description: string;
  /** Default true. */
  required?: boolean;
  /** By content type. */
  content: Readonly<Record<string, Content>>;
}

export interface Content {
  schema: TSchema;
  examples?: Readonly<Record<string, unknown>>;
}

export interface Answer {
  description: string;
  headers?: Readonly<Record<string, Header>>;
  /** Absent: there is no body. */
  content?: Readonly<Record<string, Content>>;
  /** What may be done with it, by the `operationId`: which parameter is which part of it. */
  links?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface Header {
  description: string;
  schema: TSchema;
  required?: boolean;
}

/** A task that did not succeed, told as a problem; `code` is then the task's. */
export interface Failure {
  description: string;
  codes: readonly Code[];
  headers: Readonly<Record<string, Header>>;
  examples: Readonly<Record<string, unknown>>;
}

/** JSON of one shape, with one example. */
export function json(schema: TSchema, example: unknown): Readonly<Record<string, Content>> {
  return { 'application/json': { schema, examples: { example } } };
}
