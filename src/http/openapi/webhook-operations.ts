import { type TSchema, Type } from 'typebox';
import { OneOf } from '../../schema.js';
import { TaskId } from '../../task.js';
import {
  DeliveryAttempt,
  Delivery as DeliveryView,
  deliveryStates,
  webhookShapeLimits,
} from '../../webhook.js';
import { closed, described } from './described.js';
import { examples } from './examples.js';
import { json, type Operation } from './operation.js';
import { taskIdInPath } from './parameters.js';
import { problemsOf } from './problems.js';
import { Reference } from './reference.js';
import { Time } from './texts.js';

const { query, controller, store } = problemsOf;
const ofWebhook = [
  'INVALID_TASK_ID',
  'UNKNOWN_TASK',
  'NO_WEBHOOK',
  ...query,
  ...controller,
] as const;

const Attempt = described(Type.Object({ ...DeliveryAttempt.properties, at: Time() }, closed), {
  at: 'When it began.',
  durationMs: 'How long it took, in milliseconds.',
  status: 'Of the receiver’s answer; absent when there was none.',
  error: 'Why it does not count as delivered.',
});

/** What came of telling a task's webhook, as webhooks.ts writes it. */
export const Delivery: TSchema = described(
  Type.Object(
    {
      taskId: TaskId,
      origin: Type.String(),
      webhookId: Type.Optional(Type.String()),
      ...DeliveryView.properties,
      state: OneOf(['waiting', ...deliveryStates]),
      attempts: Type.Array(Attempt, { maxItems: webhookShapeLimits.attemptsKeptMax }),
      finishedAt: Type.Optional(Time()),
      since: Type.Optional(Time()),
      nextAttemptAt: Type.Optional(Time()),
    },
    closed,
  ),
  {
    taskId: 'Of the task.',
    origin: 'Scheme, host and port of its URL; the rest may be secret.',
    webhookId: 'What the receiver gets as `webhook-id`, the same in every attempt.',
    state: 'Whether the task is not finished yet, or how far telling of it has come.',
    tries: 'Attempts since it became due.',
    attempts: 'The newest ones, oldest first.',
    finishedAt: 'The end that it is about.',
    since: 'When it became due.',
    nextAttemptAt: 'When it is told next.',
    reason: 'Why it was given up.',
  },
);

const example = {
  ...{ taskId: examples.taskId, origin: 'https://example.com', state: 'due', tries: 1 },
  webhookId: `task-${examples.taskId}-1764200000000`,
  attempts: [
    {
      ...{ at: '2026-11-27T03:00:00.012Z', durationMs: 31, status: 500 },
      error: 'the receiver answered 500',
    },
  ],
  ...{ finishedAt: '2026-11-27T03:00:00.000Z', since: '2026-11-27T03:00:00.000Z' },
  nextAttemptAt: '2026-11-27T03:00:06.201Z',
};

export const getTaskWebhook: Operation = {
  id: 'getTaskWebhook',
  tag: 'Tasks',
  summary: 'What came of telling the task’s webhook',
  parameters: [taskIdInPath],
  answers: {
    200: { description: 'How far it has come.', content: json(Reference('Delivery'), example) },
  },
  problems: ofWebhook,
};

export const redeliverWebhook: Operation = {
  id: 'redeliverWebhook',
  tag: 'Tasks',
  summary: 'Tell the task’s webhook again',
  description:
    'Whatever came of it before, with as many attempts as at first. A body is not looked at.',
  parameters: [taskIdInPath],
  answers: {
    202: { description: 'It is due.', content: json(Reference('Delivery'), example) },
  },
  problems: [...ofWebhook, 'NOT_FINISHED', 'BODY_TOO_LARGE', ...store],
};
