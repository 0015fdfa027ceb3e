import { Type } from 'typebox';
import { OneOf } from '../../schema.js';
import { TypeName } from '../../task.js';
import { PartId } from '../../wire/reports.js';
import { warningCodes } from '../warnings.js';
import { closed, described } from './described.js';
import { Reference } from './reference.js';
import { Time } from './texts.js';

export const Warning = described(
  Type.Object(
    {
      code: OneOf(warningCodes),
      text: Type.String(),
      type: Type.Optional(TypeName),
      worker: Type.Optional(PartId),
    },
    closed,
  ),
  {
    code: 'Stable: match on it.',
    text: 'One plain sentence with the cure.',
    type: 'Which type of task it is about.',
    worker: 'Which worker it is about.',
  },
);

export const Overview = described(
  Type.Object(
    {
      at: Time(),
      ready: Type.Boolean(),
      draining: Type.Boolean(),
      missing: Type.Array(Type.String()),
      queues: Type.Array(Reference('Queue')),
      workers: Type.Array(Reference('Worker')),
      workersMore: Type.Optional(Type.Literal(true)),
      deadLetters: Type.Optional(Type.Integer({ minimum: 0 })),
      deadLettersMore: Type.Optional(Type.Literal(true)),
      warnings: Type.Array(Reference('Warning')),
    },
    closed,
  ),
  {
    at: 'When it was so.',
    ready: 'It can run scripts.',
    draining: 'It is being stopped, and takes no new tasks.',
    missing: 'A sentence for each thing that keeps it from being ready.',
    queues: 'One for each type.',
    workers: 'Those that are connected, at most 256.',
    workersMore: 'There are more than these.',
    deadLetters:
      'Tasks that were given up by no doing of their own; absent for a token that is bound to a group.',
    deadLettersMore: 'There are more: counting stopped there.',
    warnings: 'What somebody should look at, the most serious first.',
  },
);
