import { Type } from 'typebox';
import { ScheduleSummary as SummaryView } from '../../schedule.js';
import { httpLimits } from '../limits.js';
import { ScheduleBody as ScheduleBodyRead } from '../schedule-body.js';
import { closed, described } from './described.js';
import { Reference } from './reference.js';
import { Time } from './texts.js';

/** Schedules as schedules.ts reads and writes them. */

const texts = {
  id: 'Its name: 1 to 64 letters, digits, `-`, `_` or dots.',
  cron: 'When: five fields, six with seconds first, or `@hourly` and the like.',
  timeZone: 'Whose clock: a name of the IANA database. Default `UTC`.',
  missed:
    'What becomes of runs whose time passed while the controller was away: none, one or all of them are made up for. Default `skip`.',
  enabled: 'While false nothing is submitted. Default true.',
} as const;

const task =
  'What is submitted: as in `POST /v1/tasks`, without `runAt`; code, stdin, args, env and files at most 256 KiB together.';

export const ScheduleBody = described(
  Type.Object({ ...ScheduleBodyRead.properties, task: Reference('TaskBody') }, closed),
  { ...texts, task },
);

const views = {
  ...SummaryView.properties,
  nextRunAt: Type.Optional(Time()),
  lastRunAt: Type.Optional(Time()),
};

const viewTexts = {
  ...texts,
  nextRunAt: 'When it is submitted next. Absent while it is not enabled.',
  lastRunAt: 'When it was last submitted, or should have been.',
  lastTaskId: 'The task that came of it.',
} as const;

/** As the list shows it. */
export const ScheduleSummary = described(Type.Object(views, closed), viewTexts);

const upcoming = Type.Optional(Type.Array(Time(), { maxItems: httpLimits.upcomingRunsMax }));

export const Schedule = described(
  Type.Object({ ...views, upcoming, task: Reference('TaskBody') }, closed),
  {
    ...viewTexts,
    upcoming: 'The next runs. Absent while it is not enabled.',
    task,
  },
);
