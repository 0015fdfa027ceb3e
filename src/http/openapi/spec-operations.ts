import { Type } from 'typebox';
import { MapOf } from '../../schema.js';
import { TypeName } from '../../task.js';
import { closed, described } from './described.js';
import { examples } from './examples.js';
import { aboutTask } from './headers.js';
import { json, type Operation } from './operation.js';
import { taskIdInPath } from './parameters.js';
import { problemsOf } from './problems.js';
import { Reference } from './reference.js';
import { TaskBody } from './task-body-schema.js';

/** What a task was submitted with. */

const { query, controller } = problemsOf;
const problems = ['INVALID_TASK_ID', 'UNKNOWN_TASK', ...query, ...controller] as const;

export const getTaskScript: Operation = {
  id: 'getTaskScript',
  tag: 'Tasks',
  summary: 'The script, byte for byte',
  parameters: [taskIdInPath],
  answers: {
    200: {
      description: 'What runs.',
      headers: {
        'X-Task-Id': aboutTask['X-Task-Id'],
        'X-Task-Type': { description: 'Which type executes it.', schema: TypeName, required: true },
      },
      content: { 'text/plain': { schema: Type.String(), examples: { text: 'print(1+1)' } } },
    },
  },
  problems,
};

const File = described(Type.Object({ bytes: Type.Integer({ minimum: 0 }) }, closed), {
  bytes: 'Of its content.',
});

const { code, stdin, env, collect, group, check, retry } = TaskBody.properties;

const Spec = described(
  Type.Object(
    {
      code,
      type: TypeName,
      args: Type.Array(Type.String()),
      stdin,
      env,
      files: MapOf(File),
      collect,
      limits: Reference('LimitsAsked'),
      network: Type.String(),
      priority: Type.Integer(),
      group,
      tags: Type.Array(Type.String()),
      check,
      retry,
      inspect: Type.Boolean(),
    },
    closed,
  ),
  {
    code: 'The script.',
    type: 'Which type executes it, also where that was left out.',
    args: 'Its arguments.',
    stdin: 'Its standard input: text, or `{"base64": "…"}`.',
    env: 'Its environment variables, by name.',
    files: 'Files beside the script, by name: how large they are.',
    collect: 'Patterns of the files to hand back.',
    limits: 'Those that were asked for.',
    network: '`host` or `none`: what it was given.',
    priority: 'Higher runs first.',
    group: 'Absent: none.',
    tags: 'Those that it has.',
    check: 'What its stdout has to be.',
    retry: 'How it is tried again.',
    inspect: 'Local variables in the report of an uncaught exception.',
  },
);

export const getTaskSpec: Operation = {
  id: 'getTaskSpec',
  tag: 'Tasks',
  summary: 'What the task was submitted with',
  description:
    'With the values of its environment, and without the contents of its files. Of `webhook` nothing is shown.',
  parameters: [taskIdInPath],
  answers: {
    200: {
      description: 'To run it again with changes.',
      content: json(Spec, {
        ...examples.taskBody,
        ...{ args: [], files: {}, network: 'none', priority: 0, inspect: false },
      }),
    },
  },
  problems,
};
