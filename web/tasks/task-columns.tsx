import type { ComponentChildren } from 'preact';
import { href } from '../route.js';
import { StateBadge } from '../ui/badge.js';
import { ago, clock, milliseconds } from '../ui/format.js';
import { VisibleText } from '../verdict/visible-text.js';
import { nowMs } from './clock.js';
import { CopyId } from './copy-id.js';
import type { TaskRow } from './task-row.js';

/** One column of a list of tasks. */
export interface Column {
  /** Class of its cells. */
  name: string;
  title: ComponentChildren;
  cell(row: TaskRow): ComponentChildren;
}

const tagsShownMax = 4;

const state: Column = {
  name: 'cell-state',
  title: 'State',
  cell: (row) => <StateBadge task={row} />,
};

/** Where all are dead letters, it need not be said of each. */
const outcome: Column = {
  name: 'cell-state',
  title: 'Outcome',
  cell: ({ state, outcome }) => <StateBadge task={{ state, outcome }} />,
};

const id: Column = {
  name: 'cell-id',
  title: 'Task',
  cell: ({ id }) => (
    <>
      <a class="mono" href={href(['tasks', id])} tabIndex={-1} title={id}>
        {shortId(id)}
      </a>
      <CopyId id={id} tabIndex={-1} />
    </>
  ),
};

const type: Column = {
  name: 'cell-type',
  title: 'Type',
  cell: ({ type }) => <VisibleText text={type} />,
};

const group: Column = {
  name: 'cell-group',
  title: 'Group',
  cell: ({ group }) => group !== undefined && <VisibleText text={group} />,
};

const tags: Column = {
  name: 'cell-tags',
  title: 'Tags',
  cell: ({ tags }) => (
    <>
      {tags.slice(0, tagsShownMax).map((tag) => (
        <span key={tag} class="tag">
          <VisibleText text={tag} />
        </span>
      ))}
      {tags.length > tagsShownMax && <span class="dim">+{tags.length - tagsShownMax}</span>}
    </>
  ),
};

const attempt: Column = {
  name: 'cell-attempt number',
  title: 'Attempt',
  cell: ({ attempt }) => attempt || '–',
};

const created: Column = {
  name: 'cell-created',
  title: 'Created',
  cell: ({ createdMs }) => <Age atMs={createdMs} />,
};

const duration: Column = {
  name: 'cell-duration number',
  title: 'Duration',
  cell: (row) => <Duration row={row} />,
};

const worker: Column = {
  name: 'cell-worker',
  title: 'Worker',
  cell: ({ worker }) => worker !== undefined && <VisibleText text={worker} />,
};

const reason: Column = {
  name: 'cell-reason',
  title: 'What happened',
  cell: ({ code, reason }) => (
    <>
      {code !== undefined && <code>{code}</code>}
      {reason !== undefined && (
        <span class="dim" title={reason}>
          <VisibleText text={reason} />
        </span>
      )}
    </>
  ),
};

const finished: Column = {
  name: 'cell-finished',
  title: 'Given up',
  cell: ({ finishedMs }) => finishedMs !== undefined && <Age atMs={finishedMs} />,
};

export const taskColumns: readonly Column[] = [
  ...[state, id, type, group, tags, attempt, created, duration, worker, reason],
];

export const deadLetterColumns: readonly Column[] = [
  ...[outcome, id, type, group, tags, { ...attempt, title: 'Attempts' }, finished, reason],
];

/** Enough of it to tell it from others: its beginning is the time. */
export function shortId(id: string): string {
  return `${id.slice(0, 8)}…${id.slice(-6)}`;
}

/** How long ago, going on; the time itself when pointed at. */
export function Age({ atMs }: { atMs: number }) {
  const at = new Date(atMs).toISOString();
  return (
    <time dateTime={at} title={clock(at)}>
      {ago(at, Math.max(atMs, nowMs.value))}
    </time>
  );
}

/** Of the last attempt, which goes on while it runs. */
function Duration({ row: { state, startedMs, finishedMs } }: { row: TaskRow }) {
  if (startedMs === undefined || state === 'pending') return <>–</>;
  if (finishedMs !== undefined) return <>{milliseconds(finishedMs - startedMs)}</>;
  return <>{milliseconds(Math.max(0, nowMs.value - startedMs))}</>;
}
