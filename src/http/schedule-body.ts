import { type Static, Type } from 'typebox';
import { cronFault } from '../cron.js';
import { ScheduleId, ScheduleSpec, scheduledTaskFault } from '../schedule.js';
import { validator } from '../schema.js';
import { httpLimits } from './limits.js';
import { Problem, problem } from './problem.js';
import { readTaskBody, refuseLongNames } from './task-body.js';

const { cron, timeZone, missed, enabled } = ScheduleSpec.properties;

/** The body of POST /v1/schedules and PUT /v1/schedules/ID, but for its task. */
export const ScheduleBody = Type.Object(
  {
    /** In a PUT the path says it. */
    id: Type.Optional(ScheduleId),
    cron,
    timeZone: Type.Optional(timeZone),
    missed: Type.Optional(missed),
    enabled: Type.Optional(enabled),
    task: Type.Unsafe<unknown>({}),
  },
  { additionalProperties: false },
);
type ScheduleBody = Static<typeof ScheduleBody>;

const bodies = validator(ScheduleBody);
const ids = validator(ScheduleId);

/** @throws Problem INVALID_FIELD. */
export function checkScheduleId(id: string): string {
  if (ids.fits(id)) return id;
  const detail = '`id` must be 1 to 64 letters, digits, `-`, `_` or dots, and not begin with a dot';
  throw problem('INVALID_FIELD', detail, { field: 'id' });
}

/**
 * The schedule that a JSON body asks for.
 *
 * @param id what the path says; the body may repeat it
 * @param nowMs milliseconds since 1970-01-01 UTC
 * @throws Problem INVALID_FIELD, and what `readTaskBody` throws, `field` beginning with `task`.
 */
export function readScheduleBody(
  body: unknown,
  id: string | undefined,
  nowMs: number,
): ScheduleSpec {
  refuseLongNames(body);
  const misfit = bodies.misfit(body);
  if (misfit) throw invalid(misfit.field.slice(0, httpLimits.nameMax), misfit.message);
  const asked = body as ScheduleBody;
  if (id !== undefined && asked.id !== undefined && asked.id !== id) {
    throw invalid('id', `\`id\` is ${asked.id} and the path says ${id}: leave it out`);
  }
  const name = id ?? asked.id;
  if (name === undefined) throw invalid('id', '`id` is missing');
  const { cron, timeZone = 'UTC', missed = 'skip', enabled = true } = asked;
  const fault = cronFault(cron, timeZone);
  if (fault) throw invalid(fault.field, fault.message);
  const task = readTask(asked.task, nowMs);
  return { id: name, cron, timeZone, missed, enabled, task };
}

function readTask(body: unknown, nowMs: number): ScheduleSpec['task'] {
  try {
    const task = readTaskBody(body, nowMs);
    const fault = scheduledTaskFault(task);
    if (fault) throw problem('INVALID_FIELD', fault.message, { field: fault.field });
    return task;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const { status, code, detail, members } = error;
    const field = members.field === undefined ? 'task' : `task.${members.field}`;
    throw new Problem(status, code, `in \`task\`: ${detail}`, { ...members, field });
  }
}

function invalid(field: string, message: string): Problem {
  return problem('INVALID_FIELD', message, field ? { field } : {});
}
