import type { TaskSpec } from '../task.js';
import { checkIdempotencyKey } from './idempotency-key.js';
import { readJson } from './json-reader.js';
import { readTaskBody } from './task-body.js';

/**
 * The task that a line of a batch asks for: a body of POST /v1/tasks, and what is a header there.
 *
 * @param nowMs milliseconds since 1970-01-01 UTC
 * @throws Problem as `readJson` and `readTaskBody` do; INVALID_FIELD for `idempotencyKey`.
 */
export function readBatchLine(line: Buffer, nowMs: number): TaskSpec {
  const value = readJson(line, 'the line');
  if (!isObject(value) || !Object.hasOwn(value, 'idempotencyKey'))
    return readTaskBody(value, nowMs);
  const { idempotencyKey, ...body } = value;
  const key = checkIdempotencyKey(idempotencyKey, 'idempotencyKey');
  return { ...readTaskBody(body, nowMs), idempotencyKey: key };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
