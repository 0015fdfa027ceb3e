import { Type } from 'typebox';
import { limits } from '../../limits.js';
import { OneOf } from '../../schema.js';
import { TypeName, taskStates } from '../../task.js';
import { outcomes } from '../../verdict.js';
import { Cursor, pageTasksMax } from '../../wire/messages.js';
import { httpLimits } from '../limits.js';
import { closed, described } from './described.js';
import { examples } from './examples.js';
import { aboutTask, ofSubmission } from './headers.js';
import { type Answer, json, type Operation, type Parameter } from './operation.js';
import { idempotencyKey, preferWait, taskIdInPath, waitInQuery } from './parameters.js';
import { problemsOf } from './problems.js';
import { Reference } from './reference.js';

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

const OneName = Type.String({ minLength: 1, maxLength: limits.tagBytesMax });

const filters: readonly Parameter[] = [
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
    name: 'deadLetter',
    in: 'query',
    description: '`true`: whose attempts are used up by no doing of their own.',
    schema: Type.Literal('true'),
  },
  {
    name: 'limit',
    in: 'query',
    description: `Most tasks in the page. Default ${httpLimits.pageTasksDefault}.`,
    schema: Type.Integer({ minimum: 1, maximum: pageTasksMax }),
  },
  { name: 'cursor', in: 'query', description: '`next` of the page before.', schema: Cursor },
];

export const listTasks: Operation = {
  id: 'listTasks',
  tag: 'Tasks',
  summary: 'Tasks that fit every parameter, newest submission first',
  description:
    'Without `stdout`, `stderr`, `files` and `exception`. A page may have fewer tasks than `limit`, even none, before the end: ' +
    'it looks at a bounded number of tasks. `next` is absent at the end.',
  parameters: filters,
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
    parameters: [taskIdInPath],
    answers: {
      200: {
        description: `The bytes of ${stream}: as text if they are UTF-8.`,
        headers: aboutTask,
        content: {
          'text/plain': { schema: Type.String(), examples: { text: 'HELLO\n' } },
          'application/octet-stream': { schema: Type.Unsafe({}) },
        },
      },
    },
    problems: [...ofTask, 'NOT_FINISHED'],
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
