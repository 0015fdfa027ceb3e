import { Type } from 'typebox';
import { limits } from '../../limits.js';
import { ScheduleId } from '../../schedule.js';
import { TaskId, TypeName } from '../../task.js';
import { PartId } from '../../wire/reports.js';
import { examples } from './examples.js';
import type { Parameter } from './operation.js';

/** Parameters that several operations take. */

export const taskIdInPath: Parameter = {
  name: 'id',
  in: 'path',
  required: true,
  description: 'Of the task: a UUID in lower case, as the submission showed it.',
  schema: TaskId,
  example: examples.taskId,
};

export const scheduleIdInPath: Parameter = {
  name: 'id',
  in: 'path',
  required: true,
  description: 'Of the schedule.',
  schema: ScheduleId,
  example: examples.schedule.id,
};

export const typeInPath: Parameter = {
  name: 'type',
  in: 'path',
  required: true,
  description: 'A type that there are workers for.',
  schema: TypeName,
  example: 'bash',
};

export const workerInPath: Parameter = {
  name: 'id',
  in: 'path',
  required: true,
  description: 'Name of a worker that is connected.',
  schema: PartId,
  example: examples.worker.id,
};

export const typeOfCode: Parameter = {
  name: 'type',
  in: 'query',
  description: 'Which worker type executes it. Default `python`.',
  schema: TypeName,
  example: 'python',
};

export const waitInQuery: Parameter = {
  name: 'wait',
  in: 'query',
  description:
    'Hold the answer until the task is finished, for at most so many seconds. Default 0.',
  schema: Type.Integer({ minimum: 0, maximum: limits.waitSecondsMax }),
  example: 10,
};

export const preferWait: Parameter = {
  name: 'Prefer',
  in: 'header',
  description:
    '`wait=SECONDS` (RFC 7240): as the parameter `wait`, which goes before it; what is too much is shortened.',
  schema: Type.String(),
  example: 'wait=10',
};

export const idempotencyKey: Parameter = {
  name: 'Idempotency-Key',
  in: 'header',
  description:
    'A repeat with the same key returns the first one’s task, for 24 h. 1 to 255 printable ASCII characters.',
  schema: Type.String({ pattern: `^[\\x20-\\x7e]{1,${limits.idempotencyKeyBytesMax}}$` }),
  example: 'order-4711',
};
