import type { Queue, Scriptd, Task } from '../client/index.js';
import type { Paint } from './paint.js';
import { queueColumns } from './queue-columns.js';
import type { Size } from './screen.js';
import { sorted, tableLines } from './table.js';
import { taskColumns } from './task-columns.js';
import { fitted, visible } from './visible.js';

/** What is shown, and how. */
export interface TopView {
  url: string;
  /** Title of a column, lower case. */
  sort: string;
  isReversed: boolean;
  /** Why the last look failed; what is shown is older. */
  fault?: string;
}

/** How a service stands at one time. */
export interface Look {
  atMs: number;
  queues: Queue[];
  /** Running ones, then the newest others; bounded. */
  tasks: Task[];
}

/** Tasks of each kind that are looked at: more than a screen has lines. */
const tasksMax = 200;

export async function look(client: Scriptd, signal?: AbortSignal): Promise<Look> {
  const [queues, running, newest] = await Promise.all([
    client.queues({ signal }),
    firstOf(client.list({ state: 'running' }, { signal })),
    firstOf(client.list({}, { signal })),
  ]);
  // One may have moved between the two.
  const others = newest.filter(({ id }) => !running.some((task) => task.id === id));
  return { atMs: Date.now(), queues, tasks: [...running, ...others] };
}

async function firstOf(tasks: AsyncIterable<Task>): Promise<Task[]> {
  const found: Task[] = [];
  for await (const task of tasks) if (found.push(task) === tasksMax) break;
  return found;
}

/** The whole screen: at most so many lines, each within its columns. */
export function topLines(
  { atMs, queues, tasks }: Look,
  { url, sort, isReversed, fault }: TopView,
  { columns, rows }: Size,
  paint: Paint,
): string[] {
  const sum = (of: (queue: Queue) => number) =>
    queues.reduce((total, queue) => total + of(queue), 0);
  const busy = sum(({ running }) => running);
  const slots = sum(({ slots }) => slots);
  const waits = sum(({ ready, waiting }) => ready + waiting);
  const clock = new Date(atMs).toTimeString().slice(0, 8);
  const head = `scriptd ${visible(url)}  ${clock}  ${busy} running, ${waits} pending, ${slots} slots`;
  const byType = sorted(queues, queueColumns[0] as (typeof queueColumns)[number]);
  const shownColumns = taskColumns(atMs);
  const order = shownColumns.find(({ title }) => title.toLowerCase() === sort);
  const ordered = order ? sorted(tasks, order, isReversed) : tasks;
  const keys = `q leaves  s sort: ${sort}  r order: ${isReversed ? 'reversed' : 'as it is'}`;
  const queueLines = tableLines(byType, queueColumns, columns, paint);
  // Few rows of the screen are for the types, so that there is room for tasks.
  const queueRows = Math.min(queueLines.length, Math.max(2, Math.floor(rows / 3)));
  const lines = [
    paint('strong', fitted(head, columns).trimEnd()),
    ...queueLines.slice(0, queueRows),
    '',
    ...tableLines(ordered, shownColumns, columns, paint),
  ];
  const foot = fault === undefined ? paint('quiet', keys) : paint('bad', fitted(fault, columns));
  return [...lines.slice(0, Math.max(0, rows - 1)), foot];
}
