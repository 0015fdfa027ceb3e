import { type Static, Type } from 'typebox';
import { OneOf } from './schema.js';
import { TaskId, TaskSpec } from './task.js';

/** The shapes of schedules: a task that is submitted again and again, by a clock. */

const closed = { additionalProperties: false } as const;
/** Milliseconds since 1970-01-01 UTC. */
const time = () => Type.Number({ minimum: 0 });

/** Safe in a URL, in a file name and in a log. */
export const ScheduleId = Type.String({ pattern: '^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$' });

/** What becomes of runs whose time passed while nobody was there to submit them. */
export const missedRules = ['skip', 'once', 'all'] as const;

export const scheduleLimits = {
  schedulesMax: 1_000,
  /** Of a schedule's task: code, stdin, args, env and files. It is kept for as long as the schedule. */
  taskBytesMax: 256 * 1024,
  cronCharactersMax: 256,
  timeZoneCharactersMax: 64,
} as const;

const properties = {
  id: ScheduleId,
  /** Five fields, or six with seconds first: src/cron.ts says what is taken. */
  cron: Type.String({ minLength: 1, maxLength: scheduleLimits.cronCharactersMax }),
  /** A name of the IANA time zone database, e.g. Europe/Vienna. */
  timeZone: Type.String({ minLength: 1, maxLength: scheduleLimits.timeZoneCharactersMax }),
  missed: OneOf(missedRules),
  /** While false nothing is submitted, and what would have been is not made up for. */
  enabled: Type.Boolean(),
};

/** What a caller asks for, after the HTTP daemon has read and checked it. */
export const ScheduleSpec = Type.Object({ ...properties, task: TaskSpec }, closed);
export type ScheduleSpec = Static<typeof ScheduleSpec>;

const Runs = {
  /** Absent while it is not enabled, when there is none any more, and when its cron can't be read. */
  nextRunAt: Type.Optional(time()),
  /** When it was last submitted, or should have been; and the task that came of it. */
  lastRunAt: Type.Optional(time()),
  lastTaskId: Type.Optional(TaskId),
};

/** A schedule without its task, which may be large. */
export const ScheduleSummary = Type.Object({ ...properties, ...Runs }, closed);
export type ScheduleSummary = Static<typeof ScheduleSummary>;

/** A schedule as it stands. */
export const ScheduleView = Type.Object({ ...properties, task: TaskSpec, ...Runs }, closed);
export type ScheduleView = Static<typeof ScheduleView>;

/** Why a task can't be one of a schedule; undefined when it can. `field` is one of the task. */
export function scheduledTaskFault(task: TaskSpec): { field: string; message: string } | undefined {
  if (task.runAt !== undefined) {
    return { field: 'runAt', message: '`runAt` is for the schedule to say: leave it out' };
  }
  const bytes = taskBytes(task);
  const most = scheduleLimits.taskBytesMax;
  if (bytes <= most) return undefined;
  const message = `code, stdin, args, env and files take ${bytes} bytes together; at most ${most} are kept with a schedule`;
  return { field: 'code', message };
}

function taskBytes({ code, stdin, args = [], env = {}, files = [] }: TaskSpec): number {
  let bytes = Buffer.byteLength(code) + (stdin?.length ?? 0);
  for (const text of [...args, ...Object.entries(env).flat()]) bytes += Buffer.byteLength(text);
  for (const { name, content } of files) bytes += Buffer.byteLength(name) + content.length;
  return bytes;
}
