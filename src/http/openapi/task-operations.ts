import { Type } from 'typebox';
import { Cursor, pageTasksMax } from '../../wire/messages.js';
import { closed, described } from './described.js';
import { examples } from './examples.js';
import { aboutTask, ofSubmission } from './headers.js';
import { type Answer, type Header, json, type Operation, type Parameter } from './operation.js';
import { idempotencyKey, preferWait, taskIdInPath, waitInQuery } from './parameters.js';

import { problemsOf } from './problems.js';
import { Reference } from './reference.js';
import { pageCursor, pageLimit, taskFilters } from './task-filters.js';

const Task = Reference('Task');
const { query, json: ofJson, controller, store, submission } = problemsOf;
const ofTask = ['INVALID_TASK_ID', 'UNKNOWN_TASK', ...query, ...controller] as const;

const id = '$response.body#/id';
const links: NonNullable<Answer['links']> = {
  getTask: { id },
  explainTask: { id },
  getTaskStdout: { id },
  getTaskStderr: { id },
  cancelTask: { id },
  retryTask: { id },
};

export const submitTask: Operation = {
  id: 'submitTask',
  tag: 'Tasks',
  summary: 'Submit a task',
  description:
    'Answers once the task is durable; with `wait`, or `Prefer: wait=SECONDS`, once it is finished or the time is up. ' +
    'A client that goes away leaves the task alone.',
  parameters: [waitInQuery, preferWait, idempotencyKey],
  body: {
    description: 'What is to run, and how.',
    content: {
      'application/json': {
        schema: Reference('TaskBody'),
        examples: { simple: examples.taskBody, more: examples.largeTaskBody },
      },
    },
  },
  answers: {
    200: {
      description: 'The finished task; or, as it stands, the one that the idempotency key is of.',
      headers: ofSubmission,
      content: json(Task, examples.finishedTask),
      links,
    },
    201: {
      description: 'The task as it was stored.',
      headers: ofSubmission,
      content: json(Task, examples.pendingTask),
      links,
    },
    202: {
      description: 'The task as it stands: `wait` was over before it was finished.',
      headers: ofSubmission,
      content: json(Task, examples.runningTask),
      links,
    },
  },
  problems: [
    ...query,
    ...ofJson,
    'MISSING_CODE',
    'CODE_TOO_LARGE',
    'IDEMPOTENCY_KEY_SPENT',
    ...submission,
    ...controller,
    ...store,
  ],
};

export const listTasks: Operation = {
  id: 'listTasks',
  tag: 'Tasks',
  summary: 'Tasks that fit every parameter, newest submission first',
  description:
    'Without `stdout`, `stderr`, `files` and `exception`. A page may have fewer tasks than `limit`, even none, before the end: ' +
    'it looks at a bounded number of tasks. `next` is absent at the end.',
  parameters: [...taskFilters, pageLimit, pageCursor],
  answers: {
    200: {
      description: 'A page of tasks.',
      content: json(
        described(
          Type.Object(
            {
              tasks: Type.Array(Reference('TaskSummary'), { maxItems: pageTasksMax }),
              next: Type.Optional(Cursor),
            },
            closed,
          ),
          { tasks: 'Newest submission first.', next: 'The `cursor` of the next page.' },
        ),
        { tasks: [examples.taskSummary], next: '3' },
      ),
    },
  },
  problems: ['INVALID_FIELD', 'BAD_CURSOR', ...query, ...controller],
};

export const getTask: Operation = {
  id: 'getTask',
  tag: 'Tasks',
  summary: 'The task as it stands',
  description: 'With `wait`, or `Prefer: wait=SECONDS`, once it is finished or the time is up.',
  parameters: [taskIdInPath, waitInQuery, preferWait],
  answers: {
    200: {
      description: 'The task.',
      headers: { 'Preference-Applied': ofSubmission['Preference-Applied'] },
      content: json(Task, examples.finishedTask),
    },
  },
  problems: [...ofTask, 'INVALID_FIELD'],
};

export const explainTask: Operation = {
  id: 'explainTask',
  tag: 'Tasks',
  summary: 'Why the task is where it is',
  parameters: [taskIdInPath],
  answers: {
    200: {
      description: 'What holds it back, or what it does.',
      content: json(Reference('Explanation'), examples.explanation),
    },
  },
  problems: ofTask,
};

const range: Parameter = {
  name: 'Range',
  in: 'header',
  description: 'One range of bytes (RFC 9110, 14.2): for outputs that are read in parts.',
  schema: Type.String(),
  example: 'bytes=0-65535',
};

const contentRange: Header = {
  description: 'Which bytes, of how many.',
  schema: Type.String({ pattern: '^bytes \\d+-\\d+/\\d+$' }),
  required: true,
};

const bytes = {
  'text/plain': { schema: Type.String(), examples: { text: 'HELLO\n' } },
  'application/octet-stream': { schema: Type.Unsafe({}) },
};

/** GET /v1/tasks/ID/stdout and /stderr. */
export const getTaskOutput = {
  stdout: outputOperation('stdout', 'getTaskStdout'),
  stderr: outputOperation('stderr', 'getTaskStderr'),
} as const;

function outputOperation(stream: 'stdout' | 'stderr', operationId: string): Operation {
  return {
    id: operationId,
    tag: 'Tasks',
    summary: `What the script wrote to ${stream}, byte for byte`,
    parameters: [taskIdInPath, range],
    answers: {
      200: {
        description: `The bytes of ${stream}: as text if they are UTF-8.`,
        headers: aboutTask,
        content: bytes,
      },
      206: {
        description: 'Those of them that `Range` asks for.',
        headers: { ...aboutTask, 'Content-Range': contentRange },
        content: bytes,
      },
    },
    problems: [...ofTask, 'NOT_FINISHED', 'RANGE_NOT_SATISFIABLE'],
  };
}

export const cancelTask: Operation = {
  id: 'cancelTask',
  tag: 'Tasks',
  summary: 'Cancel the task',
  description:
    'Answers once it is finished. To cancel again what is cancelled does nothing. A body is not looked at.',
  parameters: [taskIdInPath],
  answers: {
    200: { description: 'The cancelled task.', content: json(Task, examples.cancelledTask) },
  },
  problems: [...ofTask, 'ALREADY_FINISHED', 'BODY_TOO_LARGE', ...store],
};

export const retryTask: Operation = {
  id: 'retryTask',
  tag: 'Tasks',
  summary: 'Send a finished task again',
  description:
    'The same task, with its attempts so far, without its result, as the newest submission. A body is not looked at.',
  parameters: [taskIdInPath],
  answers: { 200: { description: 'The task.', content: json(Task, examples.pendingTask) } },
  problems: [...ofTask, 'NOT_FINISHED', 'BODY_TOO_LARGE', ...submission, ...store],
};
