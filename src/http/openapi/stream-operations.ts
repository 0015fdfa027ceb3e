import { Type } from 'typebox';
import { examples } from './examples.js';
import type { Operation } from './operation.js';
import { preferWait, taskIdInPath, waitInQuery } from './parameters.js';
import { problemsOf } from './problems.js';
import { Reference } from './reference.js';
import { pageLimit, taskFilters } from './task-filters.js';

/** What is answered piece by piece. */

const { query, controller } = problemsOf;
const EventId = Type.String({ pattern: '^(\\d{1,9}-[a-z]+-\\d{1,15}-\\d{1,15})?$' });

export const submitBatch: Operation = {
  id: 'submitBatch',
  tag: 'Tasks',
  summary: 'Submit many tasks, as lines',
  description:
    'Lines are answered in their order while they come. With `wait`, or `Prefer: wait=SECONDS`, each line that was taken is ' +
    'answered a second time, once its task is finished or the time is up.',
  parameters: [waitInQuery, preferWait],
  body: {
    description: 'NDJSON: the schema is that of a line. Without a body there is nothing to do.',
    required: false,
    content: {
      'application/x-ndjson': {
        schema: Reference('BatchLine'),
        examples: { line: { ...examples.taskBody, idempotencyKey: 'order-4711' } },
      },
    },
  },
  answers: {
    200: {
      description: 'NDJSON: the schema is that of a line.',
      content: {
        'application/x-ndjson': {
          schema: Reference('BatchAnswer'),
          examples: { line: { line: 1, status: 201, task: examples.pendingTask } },
        },
      },
    },
  },
  problems: [...query, 'INVALID_FIELD', 'UNSUPPORTED_CONTENT_TYPE', 'OVERLOADED'],
};

const stream = [
  'id: 1-running-9-0',
  'event: stdout',
  'data: {"attempt":1,"offset":0,"text":"line one\\n"}',
  '',
  '',
].join('\n');

export const followTask: Operation = {
  id: 'followTask',
  tag: 'Tasks',
  summary: 'The states and the output of the task, while they come',
  description:
    'Server-sent events: `state`, `stdout`, `stderr`, and at last `end` with the finished task. The `id` of an event, sent as ' +
    '`Last-Event-ID`, has the stream go on after it.',
  parameters: [
    taskIdInPath,
    {
      name: 'Last-Event-ID',
      in: 'header',
      description: '`id` of the last event that came. Before the parameter `lastEventId`.',
      schema: EventId,
      example: '1-running-9-0',
    },
    {
      name: 'lastEventId',
      in: 'query',
      description: 'As the header `Last-Event-ID`.',
      schema: EventId,
      example: '1-running-9-0',
    },
  ],
  answers: {
    200: {
      description: 'The stream. It ends with the task.',
      content: { 'text/event-stream': { schema: Type.String(), examples: { stream } } },
    },
    204: { description: 'All has been told: the `id` is that of the event `end`.' },
  },
  problems: [
    'INVALID_TASK_ID',
    'UNKNOWN_TASK',
    'INVALID_FIELD',
    'TOO_MANY_STREAMS',
    ...query,
    ...controller,
  ],
};

const listStream = [
  'event: tasks',
  `data: ${JSON.stringify({ tasks: [examples.taskSummary], order: [examples.taskId] })}`,
  '',
  '',
].join('\n');

export const followTasks: Operation = {
  id: 'followTasks',
  tag: 'Tasks',
  summary: 'The first page of a list, and what changes in it',
  description:
    'Server-sent events `tasks`: `tasks` has those of the page that are new or have changed since the event before, `order` the ids ' +
    'of the whole page, newest submission first, and `next` is the `cursor` of the next page. It is looked at once a second.',
  parameters: [...taskFilters, pageLimit],
  answers: {
    200: {
      description: 'The stream. It has no end.',
      content: {
        'text/event-stream': { schema: Type.String(), examples: { stream: listStream } },
      },
    },
  },
  problems: ['INVALID_FIELD', 'TOO_MANY_STREAMS', ...query],
};
