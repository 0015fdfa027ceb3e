import { Type } from 'typebox';
import { scheduleLimits } from '../../schedule.js';
import { closed, described } from './described.js';
import { examples } from './examples.js';
import { ofSubmission } from './headers.js';
import { type Answer, type Body, json, type Operation } from './operation.js';
import { scheduleIdInPath } from './parameters.js';
import { problemsOf } from './problems.js';
import { Reference } from './reference.js';

const Schedule = Reference('Schedule');
const { query, json: ofJson, controller, store, submission } = problemsOf;
const tag = 'Schedules';
const ofSchedule = ['INVALID_FIELD', 'UNKNOWN_SCHEDULE', ...query, ...controller] as const;
const ofBody = [
  ...query,
  ...ofJson,
  'MISSING_CODE',
  'CODE_TOO_LARGE',
  'TOO_MANY_SCHEDULES',
  ...submission,
  ...controller,
  ...store,
] as const;

const body: Body = {
  description: 'When, and what. In a PUT the path says the `id`.',
  content: json(Reference('ScheduleBody'), examples.scheduleBody),
};

const id = '$response.body#/id';
const links = { getSchedule: { id }, deleteSchedule: { id } };

const stored = (description: string): Answer => ({
  description,
  content: json(Schedule, examples.schedule),
  links,
});

export const listSchedules: Operation = {
  id: 'listSchedules',
  tag,
  summary: 'All schedules, in order of their ids',
  description: 'Without their tasks.',
  answers: {
    200: {
      description: 'The schedules.',
      content: json(
        described(
          Type.Object(
            {
              schedules: Type.Array(Reference('ScheduleSummary'), {
                maxItems: scheduleLimits.schedulesMax,
              }),
            },
            closed,
          ),
          { schedules: 'In order of their ids.' },
        ),
        { schedules: [examples.scheduleSummary] },
      ),
    },
  },
  problems: [...query, ...controller],
};

export const createSchedule: Operation = {
  id: 'createSchedule',
  tag,
  summary: 'Create a schedule',
  description: '`id` is required here.',
  body,
  answers: {
    201: {
      ...stored('The new schedule.'),
      headers: {
        Location: {
          description: 'Where the schedule is.',
          schema: Type.String({ pattern: '^/v1/schedules/' }),
          required: true,
        },
      },
    },
  },
  problems: [...ofBody, 'SCHEDULE_EXISTS'],
};

export const getSchedule: Operation = {
  id: 'getSchedule',
  tag,
  summary: 'The schedule as it stands',
  parameters: [scheduleIdInPath],
  answers: { 200: { description: 'The schedule.', content: json(Schedule, examples.schedule) } },
  problems: ofSchedule,
};

export const putSchedule: Operation = {
  id: 'putSchedule',
  tag,
  summary: 'Create a schedule, or replace the one that is there',
  parameters: [scheduleIdInPath],
  body,
  answers: {
    200: stored('The schedule, in place of the one that was there.'),
    201: stored('The new schedule.'),
  },
  problems: ofBody,
};

const { nextRunAt: _, ...disabledSchedule } = { ...examples.schedule, enabled: false };

/** POST /v1/schedules/ID/enable and /disable. */
export const turnSchedule = {
  enable: turnOperation(
    'enableSchedule',
    'Have a schedule submit its task again',
    'It is due from now on: runs whose time passed while it was disabled are not made up for.',
    examples.schedule,
  ),
  disable: turnOperation(
    'disableSchedule',
    'Have a schedule submit nothing more',
    'What it has submitted goes on.',
    disabledSchedule,
  ),
} as const;

function turnOperation(
  id: string,
  summary: string,
  description: string,
  example: object,
): Operation {
  return {
    id,
    tag,
    summary,
    description: `${description} All else of it stays, also the secret of its webhook. It is stored, and may be repeated. A body is not looked at.`,
    parameters: [scheduleIdInPath],
    answers: { 200: { description: 'The schedule.', content: json(Schedule, example) } },
    problems: [...ofSchedule, 'BODY_TOO_LARGE', ...store],
  };
}

export const runSchedule: Operation = {
  id: 'runSchedule',
  tag,
  summary: 'Run a schedule now',
  description:
    'Submits its task, beside its clock, also while it is not enabled. A body is not looked at.',
  parameters: [scheduleIdInPath],
  answers: {
    201: {
      description: 'The task as it was stored.',
      headers: { Location: ofSubmission.Location },
      content: json(Reference('Task'), examples.pendingTask),
    },
  },
  problems: [...ofSchedule, 'BODY_TOO_LARGE', ...submission, ...store],
};

export const deleteSchedule: Operation = {
  id: 'deleteSchedule',
  tag,
  summary: 'Delete a schedule',
  description: 'What it has submitted goes on. A body is not looked at.',
  parameters: [scheduleIdInPath],
  answers: { 204: { description: 'It is gone.' } },
  problems: [...ofSchedule, 'BODY_TOO_LARGE', ...store],
};
