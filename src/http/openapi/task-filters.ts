import { Type } from 'typebox';
import { limits } from '../../limits.js';
import { OneOf } from '../../schema.js';
import { TypeName, taskStates } from '../../task.js';
import { outcomes } from '../../verdict.js';
import { Cursor, pageTasksMax } from '../../wire/messages.js';
import { httpLimits } from '../limits.js';
import type { Parameter } from './operation.js';

/** Which tasks a list is of, and which page of it. */

const OneName = Type.String({ minLength: 1, maxLength: limits.tagBytesMax });

export const taskFilters: readonly Parameter[] = [
  { name: 'state', in: 'query', description: 'In this state.', schema: OneOf(taskStates) },
  { name: 'type', in: 'query', description: 'Of this type.', schema: TypeName, example: 'bash' },
  { name: 'outcome', in: 'query', description: 'Ended so.', schema: OneOf(outcomes) },
  {
    name: 'group',
    in: 'query',
    description: 'Of this group: at most 128 bytes of UTF-8.',
    schema: OneName,
    example: 'nightly',
  },
  {
    name: 'tag',
    in: 'query',
    description: 'With this tag: at most 128 bytes of UTF-8.',
    schema: OneName,
    example: 'demo',
  },
  {
    name: 'text',
    in: 'query',
    description:
      'With this in its id, group, tags, worker, code, reason or script, in large or small letters: at most 128 bytes of UTF-8. ' +
      'A page looks at fewer tasks then.',
    schema: OneName,
    example: 'timeout',
  },
  {
    name: 'deadLetter',
    in: 'query',
    description: '`true`: whose attempts are used up by no doing of their own.',
    schema: Type.Literal('true'),
  },
];

export const pageLimit: Parameter = {
  name: 'limit',
  in: 'query',
  description: `Most tasks in the page. Default ${httpLimits.pageTasksDefault}.`,
  schema: Type.Integer({ minimum: 1, maximum: pageTasksMax }),
};

export const pageCursor: Parameter = {
  name: 'cursor',
  in: 'query',
  description: '`next` of the page before.',
  schema: Cursor,
};
