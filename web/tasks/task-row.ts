import type { Task } from '../../src/client/task.js';

/**
 * What a list keeps of a task: no more than a row shows, for there may be a million. Times are
 * milliseconds since 1970.
 */
export interface TaskRow {
  id: string;
  type: string;
  state: Task['state'];
  outcome: Task['outcome'];
  deadLetter: true | undefined;
  group: string | undefined;
  tags: readonly string[];
  attempt: number;
  createdMs: number;
  startedMs: number | undefined;
  finishedMs: number | undefined;
  worker: string | undefined;
  code: string | undefined;
  reason: string | undefined;
  /** It does not fit the filters any more; it stays where it is until the list moves anyhow. */
  isGone: boolean;
  /** The cursor after which its page begins; undefined while it is at the head, which is live. */
  page: string | undefined;
}

const reasonCharactersMax = 200;
const noTags: readonly string[] = [];

/** Equal texts are kept once: a service has few types, workers and groups. */
const kept = new Map<string, string>();
const keptMax = 10_000;

function once(text: string): string {
  const known = kept.get(text);
  if (known !== undefined) return known;
  if (kept.size < keptMax) kept.set(text, text);
  return text;
}

export function rowOf(task: Task, page?: string): TaskRow {
  return {
    id: task.id,
    type: once(task.type),
    state: once(task.state) as Task['state'],
    outcome: task.outcome && (once(task.outcome) as Task['outcome']),
    deadLetter: task.deadLetter,
    group: task.group && once(task.group),
    tags: task.tags.length === 0 ? noTags : task.tags.map(once),
    attempt: task.attempt,
    createdMs: Date.parse(task.createdAt),
    startedMs: task.startedAt === undefined ? undefined : Date.parse(task.startedAt),
    finishedMs: task.finishedAt === undefined ? undefined : Date.parse(task.finishedAt),
    worker: task.worker && once(task.worker),
    code: task.code && once(task.code),
    reason: task.reason && cut(task.reason),
    isGone: false,
    page,
  };
}

/** The page of the task has all of it. */
function cut(reason: string): string {
  if (reason.length <= reasonCharactersMax) return once(reason);
  return `${reason.slice(0, reasonCharactersMax)}…`;
}

/**
 * Rows that follow one another, from what the service has of them now.
 *
 * @param isEnd nothing comes after these tasks
 */
export function updateRows(rows: readonly TaskRow[], tasks: readonly Task[], isEnd: boolean): void {
  const found = new Map(tasks.map((task) => [task.id, task]));
  // What was looked at need not come to its end: a row is gone only if one after it was found.
  let isReached = isEnd;
  for (const row of rows.toReversed()) {
    const task = found.get(row.id);
    if (task) Object.assign(row, rowOf(task, row.page));
    else row.isGone = isReached;
    isReached ||= task !== undefined;
  }
}
