import type { TSchema } from 'typebox';
import { BatchAnswer, BatchLine } from './batch-schemas.js';
import { Explanation } from './explanation-schema.js';
import { Problem } from './problem-schema.js';
import { Schedule, ScheduleBody, ScheduleSummary } from './schedule-schema.js';
import { Queue, Worker } from './service-schemas.js';
import { Check, Limits, LimitsAsked, Retry, TaskBody } from './task-body-schema.js';
import { Attempt, Exception, Task, TaskSummary } from './task-schema.js';
import { TokenBody, TokenInfo } from './token-operations.js';
import { Delivery } from './webhook-operations.js';

/** Every schema with a name of its own in the document, by that name. */
export const schemas = {
  TaskBody,
  BatchLine,
  BatchAnswer,
  LimitsAsked,
  Retry,
  Check,
  Task,
  TaskSummary,
  Limits,
  Attempt,
  Exception,
  Explanation,
  ScheduleBody,
  ScheduleSummary,
  Schedule,
  Queue,
  Worker,
  Delivery,
  TokenBody,
  TokenInfo,
  Problem,
} as const satisfies Record<string, TSchema>;
