import { Type } from 'typebox';
import { limits } from '../../limits.js';
import { closed, described } from './described.js';
import { Reference } from './reference.js';
import { TaskBody } from './task-body-schema.js';

/** Lines of POST /v1/tasks/batch. */

const { properties } = TaskBody;
const texts = Object.fromEntries(
  Object.entries(properties).map(([name, member]) => [
    name,
    String(Reflect.get(member, 'description')),
  ]),
) as Record<keyof typeof properties, string>;

export const BatchLine = described(
  Type.Object(
    {
      ...properties,
      idempotencyKey: Type.Optional(
        Type.String({ pattern: `^[\\x20-\\x7e]{1,${limits.idempotencyKeyBytesMax}}$` }),
      ),
    },
    closed,
  ),
  { ...texts, idempotencyKey: 'As the header `Idempotency-Key` of a single task.' },
);

export const BatchAnswer = described(
  Type.Object(
    {
      line: Type.Integer({ minimum: 1 }),
      status: Type.Integer({ minimum: 200, maximum: 599 }),
      task: Type.Optional(Reference('Task')),
      replayed: Type.Optional(Type.Literal(true)),
      error: Type.Optional(Reference('Problem')),
    },
    closed,
  ),
  {
    line: 'Number of the line that it is about, from 1.',
    status: 'As of a single task: what it would have been answered with.',
    task: 'Where the line was taken.',
    replayed: 'The task was there before: its key stands for it.',
    error: 'Where the line was not taken, or its task was lost.',
  },
);
