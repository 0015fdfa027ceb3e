import type { Limits, TaskSpec } from '../../src/client/task.js';
import type { Missed, Schedule, ScheduleBody } from './schedule.js';

/** A schedule as it stands in a form: what is typed is text. */
export interface ScheduleDraft {
  id: string;
  cron: string;
  timeZone: string;
  missed: Missed;
  enabled: boolean;
  type: string;
  code: string;
  /** One a line. */
  args: string;
  /** By their names; '' is the service's default. */
  limits: Partial<Record<keyof Limits, string>>;
}

/** Limits, in the order in which the form has them. */
export const limitFields: readonly { name: keyof Limits; label: string }[] = [
  { name: 'wallMs', label: 'Real time, ms' },
  { name: 'cpuMs', label: 'Processor time, ms' },
  { name: 'memoryBytes', label: 'Memory, bytes' },
  { name: 'outputBytes', label: 'Output, bytes' },
  { name: 'diskBytes', label: 'Disk, bytes' },
  { name: 'files', label: 'Files' },
  { name: 'openFiles', label: 'Open files' },
  { name: 'processes', label: 'Processes' },
];

/** What the service calls the fields of the form. */
export const draftFields: readonly string[] = [
  'id',
  'cron',
  'timeZone',
  'missed',
  'enabled',
  'task.type',
  'task.code',
  'task.args',
  'task.limits',
  ...limitFields.map(({ name }) => `task.limits.${name}`),
];

export const emptyDraft: ScheduleDraft = {
  id: '',
  cron: '',
  timeZone: 'UTC',
  missed: 'skip',
  enabled: true,
  type: '',
  code: '',
  args: '',
  limits: {},
};

export function draftOf({ id, cron, timeZone, missed, enabled, task }: Schedule): ScheduleDraft {
  const { type = '', code, args = [], limits = {} } = task;
  return {
    id,
    cron,
    timeZone,
    missed,
    enabled,
    type,
    code,
    args: args.join('\n'),
    limits: Object.fromEntries(
      Object.entries(limits).map(([name, value]) => [name, String(value)]),
    ),
  };
}

/**
 * What to send. The service judges it, not the form: a limit that is no number is sent as it is.
 *
 * @param kept the task as it was: what the form does not show is left so
 */
export function bodyOf(draft: ScheduleDraft, kept: Partial<TaskSpec> = {}): ScheduleBody {
  const { cron, timeZone, missed, enabled, type, code, args, limits } = draft;
  const { type: _, args: __, limits: ___, ...rest } = kept;
  const asked = Object.entries(limits).filter(([, text]) => text.trim() !== '');
  return {
    cron,
    timeZone,
    missed,
    enabled,
    task: {
      ...rest,
      code,
      ...(type !== '' && { type }),
      ...(args !== '' && { args: args.split('\n') }),
      ...(asked.length > 0 && { limits: Object.fromEntries(asked.map(limitOf)) }),
    },
  };
}

function limitOf([name, text]: [string, string]): [string, number | string] {
  const value = Number(text);
  return [name, Number.isNaN(value) ? text : value];
}

/** Names of what a task has and the form does not show. */
export function unshownOf(task: TaskSpec): string[] {
  const shown = ['type', 'code', 'args', 'limits'];
  return Object.keys(task).filter((name) => !shown.includes(name));
}
