import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import { errorMessage } from '../errors.js';
import type { Check } from '../task.js';
import { type Answer, passed } from './answer.js';
import { excerpt, shown } from './excerpt.js';
import { jsonFaultIndex } from './json-place.js';
import { textOf } from './output.js';
import { placeOf, restOfLine } from './place.js';

/** A schema or pattern, ready to judge outputs. Untrusted: it may take any time, and all memory. */
export type Compiled = (output: Uint8Array) => Answer;

/** @throws Error that says what is wrong with it */
export function compile({ schema, pattern, flags = '' }: Check): Compiled {
  if (schema) return compileSchema(schema);
  const expression = new RegExp(pattern ?? '', flags);
  return (output) => {
    const text = textOf(output);
    if (typeof text !== 'string') return text;
    if (expression.test(text)) return passed;
    const expected = excerpt(`a match of ${expression}`);
    return { kind: 'mismatch', format: { expected, got: shown(text) } };
  };
}

/**
 * Strict about keywords, because one that is misspelt would check nothing without a word; `format`
 * is an annotation, as the draft has it.
 *
 * Source: https://json-schema.org/draft/2020-12
 */
function compileSchema(schema: object): Compiled {
  const ajv = new Ajv2020({
    strictSchema: true,
    strictTypes: false,
    strictTuples: false,
    validateFormats: false,
    allErrors: false,
    verbose: true,
    logger: false,
  });
  const validate = ajv.compile(schema);
  if ('$async' in validate) throw new Error('`$async` is not of JSON Schema: leave it out');
  return (output) => {
    const text = textOf(output);
    if (typeof text !== 'string') return text;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return notJson(text);
    }
    if (validate(value)) return passed;
    const [error] = validate.errors ?? [];
    if (!error) throw new Error('a schema refused an output and did not say why');
    return { kind: 'mismatch', format: described(error) };
  };
}

function notJson(text: string): Answer {
  const index = jsonFaultIndex(text);
  const rest = restOfLine(text, index);
  const got =
    index >= text.length ? 'the end of the output' : rest === '' ? 'a line end' : shown(rest);
  return { kind: 'mismatch', format: { expected: 'JSON', at: placeOf(text, index), got } };
}

function described(error: ErrorObject) {
  const { message = 'must be as the schema says', instancePath, keyword, params } = error;
  const allowed = 'allowedValues' in params ? `: ${JSON.stringify(params.allowedValues)}` : '';
  const constant = 'allowedValue' in params ? `: ${JSON.stringify(params.allowedValue)}` : '';
  const named =
    keyword === 'additionalProperties' || keyword === 'unevaluatedProperties'
      ? ` (${JSON.stringify(params.additionalProperty ?? params.unevaluatedProperty)})`
      : '';
  return {
    expected: excerpt(`${message}${allowed}${constant}${named}`),
    // The pointer to the whole document is the empty text (RFC 6901), which nobody would see.
    at: instancePath === '' ? 'the whole document' : excerpt(instancePath),
    got: excerpt(JSON.stringify(error.data) ?? 'nothing', 400),
  };
}

/** Why it does not compile, for whoever wrote it. */
export function compileMessage(error: unknown): string {
  return excerpt(errorMessage(error).replace(/^strict mode: /, ''), 500);
}
