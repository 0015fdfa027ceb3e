import type { Task } from '../../src/client/task.js';
import { askJson } from '../api/http.js';
import { parametersOf, type TaskFilter } from './task-filter.js';

/** Tasks of one page, the most that the service gives. */
export const pageTasks = 200;

/** Tasks that fit a filter, newest first. There may be few, or none, before the end. */
export interface ListedPage {
  tasks: Task[];
  /** Where the list goes on; undefined at its end. */
  next?: string;
}

/** An event of `GET /v1/tasks/events`: the first page, of whose tasks only those that changed. */
export interface HeadEvent extends ListedPage {
  /** Ids of all of the page. */
  order: string[];
}

/** Where the first page is told, and told again when it changes. */
export function headPath(filter: TaskFilter): string {
  return `/v1/tasks/events?${parametersOf(filter, { limit: String(pageTasks) })}`;
}

/** @param cursor `next` of the page before */
export function askPage(
  filter: TaskFilter,
  cursor: string | undefined,
  signal: AbortSignal,
): Promise<ListedPage> {
  const parameters = parametersOf(filter, { limit: String(pageTasks), cursor });
  return askJson<ListedPage>(`/v1/tasks?${parameters}`, { signal });
}
