import type { Task } from '../client/index.js';
import { spanText } from './span.js';
import type { Column } from './table.js';

/** One line about a task, for `list` and `top`. */
export function taskColumns(nowMs: number): Column<Task>[] {
  return [
    { title: 'ID', of: ({ id }) => id },
    { title: 'TYPE', of: ({ type }) => type, columnsMin: 6, columnsMax: 12 },
    { title: 'STATUS', of: statusOf, tone: toneOf },
    { title: 'CODE', of: ({ code }) => code ?? '', leaves: 2 },
    {
      ...{
        title: 'AGE',
        side: 'right',
        of: (task) => spanText(nowMs - Date.parse(task.createdAt)),
      },
      sortBy: ({ createdAt }) => -Date.parse(createdAt),
    },
    {
      ...{ title: 'TIME', side: 'right', sortBy: (task) => runMs(task, nowMs) ?? -1 },
      of: (task) => {
        const ms = runMs(task, nowMs);
        return ms === undefined ? '' : spanText(ms);
      },
    },
    { title: 'GROUP', of: ({ group }) => group ?? '', leaves: 3, columnsMin: 6, columnsMax: 24 },
    { title: 'WORKER', of: ({ worker }) => worker ?? '', leaves: 5, columnsMax: 24 },
    { title: 'TAGS', of: ({ tags }) => tags.join(','), leaves: 4, columnsMin: 6, columnsMax: 40 },
  ];
}

/** How it ended, or where it is. */
export function statusOf({ state, outcome }: Task): string {
  return outcome ?? state;
}

export function toneOf({ state, outcome }: Task) {
  if (outcome === 'success') return 'good';
  if (outcome === 'cancelled' || outcome === 'expired') return 'aside';
  if (outcome !== undefined) return 'bad';
  return state === 'running' ? 'strong' : undefined;
}

/** Of the last attempt, milliseconds: what the script took, or takes up to now. */
function runMs({ state, startedAt, usage }: Task, nowMs: number): number | undefined {
  if (usage) return usage.wallMs;
  return state === 'running' && startedAt !== undefined ? nowMs - Date.parse(startedAt) : undefined;
}
