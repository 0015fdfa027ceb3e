import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Test } from 'tap';

/** As far as tests look into it. */
export interface OpenApi {
  paths: Record<string, Record<string, OperationJson>>;
  components: { schemas: Record<string, object> };
}

export interface OperationJson {
  operationId: string;
  parameters?: { name: string; in: string; required: boolean; schema: object; example?: unknown }[];
  requestBody?: { content: Record<string, ContentJson> };
  responses: Record<string, ResponseJson>;
}

export interface ContentJson {
  schema: object;
  examples?: Record<string, { value: unknown }>;
}

export interface ResponseJson {
  description: string;
  headers?: Record<string, { schema: object; required?: boolean }>;
  content?: Record<string, ContentJson>;
  links?: Record<string, { operationId: string; parameters: Record<string, string> }>;
}

/** What an answer is held against the document by. */
export interface Answered {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

/** The document, and which of its answers have been seen. */
export class Contract {
  readonly document: OpenApi;
  /** `operationId status` of each answer that was held against the document. */
  readonly seen = new Set<string>();
  readonly #ajv = new Ajv2020({ strict: true, allErrors: true, strictRequired: false });
  readonly #validators = new Map<object, ValidateFunction>();

  constructor(document: OpenApi) {
    this.document = document;
    this.#ajv.addFormat('date-time', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/);
    for (const [name, schema] of Object.entries(document.components.schemas)) {
      this.#ajv.addSchema(schema, `#/components/schemas/${name}`);
    }
  }

  /** Why a value does not fit a schema of the document; undefined when it does. */
  misfit(schema: object, value: unknown): string | undefined {
    let validate = this.#validators.get(schema);
    if (!validate) {
      validate = this.#ajv.compile(schema);
      this.#validators.set(schema, validate);
    }
    return validate(value) ? undefined : this.#ajv.errorsText(validate.errors);
  }

  operations(): { method: string; path: string; operation: OperationJson }[] {
    return Object.entries(this.document.paths).flatMap(([path, members]) =>
      Object.entries(members).map(([method, operation]) => ({ method, path, operation })),
    );
  }

  /** Fails the test where the document does not foresee the answer. */
  check(t: Test, method: string, path: string, answer: Answered): void {
    t.equal(this.fault(method, path, answer), undefined, `${method} ${path}: ${answer.status}`);
  }

  /** How an answer is other than the document says; undefined when it is not. */
  fault(method: string, path: string, answer: Answered): string | undefined {
    const operation = this.#find(method, path);
    if (!operation) return 'the document has no such operation';
    this.seen.add(`${operation.operationId} ${answer.status}`);
    const response = operation.responses[answer.status];
    if (!response) return `the document has no such status: ${answer.body}`;
    return this.#headersFault(response, answer) ?? this.#bodyFault(response, answer);
  }

  #headersFault({ headers = {} }: ResponseJson, answer: Answered): string | undefined {
    for (const [name, { schema, required }] of Object.entries(headers)) {
      const value = answer.headers[name.toLowerCase()];
      if (value === undefined && required) return `there is no ${name}`;
      if (value === undefined) continue;
      // Headers are text, whatever it stands for.
      const isNumber = 'type' in schema && schema.type === 'integer';
      // Set-Cookie comes as often as there are cookies.
      for (const one of [value].flat()) {
        const misfit = this.misfit(schema, isNumber ? Number(one) : one);
        if (misfit !== undefined) return `${name} is ${one}: ${misfit}`;
      }
    }
    return undefined;
  }

  #bodyFault({ content }: ResponseJson, { headers, body }: Answered): string | undefined {
    if (!content) return body.length > 0 ? 'it has a body' : undefined;
    const type = String(headers['content-type'] ?? '').split(';')[0] ?? '';
    const found = content[type];
    if (!found) return `its body is ${type || 'of no type'}`;
    if (!type.endsWith('json')) return undefined;
    const text = body.toString('utf8');
    // Of NDJSON the schema is that of a line.
    const values = type.endsWith('ndjson') ? text.split('\n').filter(Boolean) : [text];
    for (const value of values) {
      const misfit = this.misfit(found.schema, JSON.parse(value));
      if (misfit !== undefined) return `${misfit}: ${value}`;
    }
    return undefined;
  }

  #find(method: string, path: string): OperationJson | undefined {
    const [bare = ''] = path.split('?', 1);
    const exact = this.document.paths[bare];
    const members = exact ?? this.#template(bare);
    return members?.[method.toLowerCase()];
  }

  #template(path: string): Record<string, OperationJson> | undefined {
    const found = Object.entries(this.document.paths).find(([template]) =>
      new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}$`).test(path),
    );
    return found?.[1];
  }
}
