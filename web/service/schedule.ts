import type { Task, TaskSpec } from '../../src/client/task.js';
import { ask, askJson } from '../api/http.js';

export type Missed = 'skip' | 'once' | 'all';

/** A schedule in a list. Times are RFC 3339. */
export interface ScheduleSummary {
  id: string;
  cron: string;
  timeZone: string;
  missed: Missed;
  enabled: boolean;
  nextRunAt?: string;
  lastRunAt?: string;
  lastTaskId?: string;
}

export interface Schedule extends ScheduleSummary {
  /** The next runs, `nextRunAt` first. */
  upcoming?: string[];
  task: TaskSpec;
}

/** What is sent to make one, or to put one in the place of another. */
export type ScheduleBody = Pick<Schedule, 'cron' | 'timeZone' | 'missed' | 'enabled'> & {
  task: object;
};

const all = '/v1/schedules';
const pathOf = (id: string) => `${all}/${encodeURIComponent(id)}`;

export async function listSchedules(): Promise<ScheduleSummary[]> {
  const { schedules } = await askJson<{ schedules: ScheduleSummary[] }>(all);
  return schedules;
}

export function getSchedule(id: string): Promise<Schedule> {
  return askJson(pathOf(id));
}

export function makeSchedule(id: string, body: ScheduleBody): Promise<Schedule> {
  return askJson(all, { method: 'POST', body: { id, ...body } });
}

export function putSchedule(id: string, body: ScheduleBody): Promise<Schedule> {
  return askJson(pathOf(id), { method: 'PUT', body });
}

/** All else of it stays. */
export function setEnabled(id: string, enabled: boolean): Promise<Schedule> {
  return askJson(`${pathOf(id)}/${enabled ? 'enable' : 'disable'}`, { method: 'POST' });
}

/** A task of it, now, beside its clock. */
export function runSchedule(id: string): Promise<Task> {
  return askJson(`${pathOf(id)}/run`, { method: 'POST' });
}

export async function deleteSchedule(id: string): Promise<void> {
  await ask(pathOf(id), { method: 'DELETE' });
}
