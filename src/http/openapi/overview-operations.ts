import { Type } from 'typebox';
import { examples } from './examples.js';
import { json, type Operation } from './operation.js';
import { problemsOf } from './problems.js';
import { Reference } from './reference.js';

/** How the service stands. */

const { query, controller } = problemsOf;

const warning = {
  code: 'PAUSED',
  type: 'bash',
  text: 'Type bash is paused and 3 tasks of it are ready: resume it to go on.',
};

const overview = {
  at: '2026-11-24T08:42:16.729Z',
  ...{ ready: true, draining: false, missing: [] },
  queues: [{ ...examples.queue, paused: true, ready: 3, oldestMs: 1_250 }],
  workers: [examples.worker],
  deadLetters: 0,
  warnings: [warning],
};

export const getOverview: Operation = {
  id: 'getOverview',
  tag: 'Service',
  summary: 'How the service stands, and what somebody should look at',
  answers: { 200: { description: 'It.', content: json(Reference('Overview'), overview) } },
  problems: [...query, ...controller],
};

const stream = ['event: overview', `data: ${JSON.stringify(overview)}`, '', ''].join('\n');

export const followOverview: Operation = {
  id: 'followOverview',
  tag: 'Service',
  summary: 'The same, while it changes, with what went on in the last hour',
  description:
    'Server-sent events: `history` first, with samples of 10 s, and again where some were missed; `sample`, each 10 s; ' +
    '`overview` at once, whenever it is another (looked at once a second), and each 10 s.',
  answers: {
    200: {
      description: 'The stream. It ends with the daemon or the token.',
      content: { 'text/event-stream': { schema: Type.String(), examples: { stream } } },
    },
  },
  problems: ['TOO_MANY_STREAMS', ...query, ...controller],
};
