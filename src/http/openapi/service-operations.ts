import { Type } from 'typebox';
import { closed, described } from './described.js';
import { examples } from './examples.js';
import { json, type Operation } from './operation.js';
import { typeInPath, workerInPath } from './parameters.js';
import { problemsOf } from './problems.js';
import { Reference } from './reference.js';

/** Queues, workers, health, and what is there for people. */

const Queue = Reference('Queue');
const { query, controller, store } = problemsOf;

export const listQueues: Operation = {
  id: 'listQueues',
  tag: 'Queues',
  summary: 'The tasks of each type, in numbers',
  answers: {
    200: {
      description: 'A queue for each type that there are workers for.',
      content: json(
        described(Type.Object({ queues: Type.Array(Queue) }, closed), {
          queues: 'One for each type.',
        }),
        { queues: [examples.queue] },
      ),
    },
  },
  problems: [...query, ...controller],
};

const queueProblems = [
  'UNKNOWN_TYPE',
  'BODY_TOO_LARGE',
  ...query,
  ...controller,
  ...store,
] as const;

/** POST /v1/queues/TYPE/pause and /resume. */
export const setQueue = {
  pause: orderOperation('pauseQueue', 'Hand out no more tasks of the type', {
    ...examples.queue,
    paused: true,
  }),
  resume: orderOperation('resumeQueue', 'Hand out tasks of the type again', examples.queue),
} as const;

function orderOperation(id: string, summary: string, example: object): Operation {
  return {
    id,
    tag: 'Queues',
    summary,
    description:
      'What has begun goes on, and tasks are taken as ever. It is stored, and may be repeated. A body is not looked at.',
    parameters: [typeInPath],
    answers: { 200: { description: 'The queue.', content: json(Queue, example) } },
    problems: queueProblems,
    // Of a submission it is 422: there the type is in the body. Here it is the place.
    statuses: { UNKNOWN_TYPE: 404 },
  };
}

export const listWorkers: Operation = {
  id: 'listWorkers',
  tag: 'Service',
  summary: 'The connected workers, and how each is shut in',
  answers: {
    200: {
      description: 'The workers.',
      content: json(
        described(
          Type.Object(
            {
              workers: Type.Array(Reference('Worker')),
              workersMore: Type.Optional(Type.Literal(true)),
            },
            closed,
          ),
          {
            workers: 'Those that are connected, at most 4,096.',
            workersMore: 'There are more than these.',
          },
        ),
        { workers: [examples.worker] },
      ),
    },
  },
  problems: [...query, ...controller],
};

export const drainWorker: Operation = {
  id: 'drainWorker',
  tag: 'Service',
  summary: 'Have a worker finish what it has, and end',
  description:
    'It takes nothing more and hands back what it has not begun. What still runs after its drainMs (30 s unless it says otherwise) is ended and tried again. ' +
    'Whoever manages it starts another where one is wanted. It may be repeated. A body is not looked at.',
  parameters: [workerInPath],
  answers: {
    202: {
      description: 'The worker, as it stands.',
      content: json(Reference('Worker'), { ...examples.worker, draining: true }),
    },
  },
  problems: ['UNKNOWN_WORKER', 'BODY_TOO_LARGE', ...query, ...controller],
};

const Status = (status: string) =>
  described(Type.Object({ status: Type.Literal(status) }, closed), { status: 'Always this.' });

export const getHealth: Operation = {
  id: 'getHealth',
  tag: 'Service',
  summary: 'Is the HTTP daemon alive?',
  answers: {
    200: { description: 'It is.', content: json(Status('alive'), { status: 'alive' }) },
  },
  problems: [],
};

export const getReadiness: Operation = {
  id: 'getReadiness',
  tag: 'Service',
  summary: 'Can the service run scripts?',
  description:
    'The controller is there, does not drain, and has a worker of every type. Answers at once.',
  answers: {
    200: { description: 'It can.', content: json(Status('ready'), { status: 'ready' }) },
  },
  problems: ['NOT_READY'],
};

export const greet: Operation = {
  id: 'greet',
  tag: 'Service',
  summary: 'The page, or a short greeting',
  description: 'The page for whoever accepts `text/html`, as browsers do; text for others.',
  answers: {
    200: {
      description: 'For people.',
      content: {
        'text/plain': { schema: Type.String(), examples: { text: 'scriptd: …' } },
        'text/html': { schema: Type.String(), examples: { page: '<!doctype html>…' } },
      },
    },
  },
  problems: [],
};

export const getDocument: Operation = {
  id: 'getDocument',
  tag: 'Service',
  summary: 'This document',
  description: 'OpenAPI 3.1. It is open to everybody, as is `/docs`, which shows it.',
  answers: {
    200: {
      description: 'The document.',
      content: json(Type.Object({ openapi: Type.String({ pattern: '^3\\.1\\.' }) }), {
        openapi: '3.1.1',
      }),
    },
  },
  problems: [],
};
