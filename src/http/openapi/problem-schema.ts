import { Type } from 'typebox';
import { OneOf } from '../../schema.js';
import { TaskId, taskStates } from '../../task.js';
import { outcomes } from '../../verdict.js';
import { scopes } from '../scopes.js';
import { closed, described } from './described.js';
import { Reference } from './reference.js';
import { outputMembers, outputTexts } from './task-schema.js';

/** RFC 9457, with the members that the codes of this service bring. */
export const Problem = described(
  Type.Object(
    {
      type: Type.Literal('about:blank'),
      title: Type.String(),
      status: Type.Integer({ minimum: 400, maximum: 599 }),
      detail: Type.String(),
      code: Type.String({ pattern: '^[A-Z][A-Z0-9_]*$' }),
      field: Type.Optional(Type.String()),
      taskId: Type.Optional(TaskId),
      state: Type.Optional(OneOf(taskStates)),
      outcome: Type.Optional(OneOf(outcomes)),
      scope: Type.Optional(OneOf(scopes)),
      retryAfterSeconds: Type.Optional(Type.Integer({ minimum: 1 })),
      missing: Type.Optional(Type.Array(Type.String())),
      exitCode: Type.Optional(Type.Integer()),
      signal: Type.Optional(Type.String()),
      exception: Type.Optional(Reference('Exception')),
      ...outputMembers,
    },
    closed,
  ),
  {
    type: 'Always this: `code` says which problem it is.',
    title: 'The name of the status.',
    status: 'As in the answer’s first line.',
    detail: 'A sentence for people: what is wrong, and the cure.',
    code: 'Stable: match on it, not on the text.',
    field: 'Which parameter, header or member of the body it is about.',
    taskId: 'The task that it is about.',
    state: 'Where that task is in its life.',
    outcome: 'How that task ended.',
    scope: 'Of `INSUFFICIENT_SCOPE`: what the token should have.',
    retryAfterSeconds: 'In a line of a batch, instead of `Retry-After`.',
    missing: 'Of `NOT_READY`: one sentence for each thing that is not there.',
    exitCode: 'Exit code of the script.',
    signal: 'Name of the signal that ended it.',
    exception: 'An exception that nobody caught.',
    ...outputTexts,
  },
);
