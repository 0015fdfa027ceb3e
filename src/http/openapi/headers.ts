import { Type } from 'typebox';
import { OneOf } from '../../schema.js';
import { TaskId } from '../../task.js';
import { outcomes } from '../../verdict.js';
import type { Header } from './operation.js';

/** Headers of answers that several operations have. */

/** Of an answer about one task that has run. */
export const aboutTask = {
  'X-Task-Id': { description: 'Of the task.', schema: TaskId, required: true },
  'X-Task-Outcome': { description: 'How it ended.', schema: OneOf(outcomes), required: true },
} as const satisfies Readonly<Record<string, Header>>;

/** Of an answer to a submission. */
export const ofSubmission = {
  Location: {
    description: 'Where the task is.',
    schema: Type.String({ pattern: '^/v1/tasks/[0-9a-f-]{36}$' }),
    required: true,
  },
  'Idempotency-Replayed': {
    description: 'The task was there before: its key stands for it.',
    schema: Type.Literal('true'),
  },
  'Preference-Applied': {
    description: 'What was kept of `Prefer`.',
    schema: Type.String({ pattern: '^wait=\\d+$' }),
  },
} as const satisfies Readonly<Record<string, Header>>;
