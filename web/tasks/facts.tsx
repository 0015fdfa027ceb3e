import type { ComponentChildren } from 'preact';
import type { Task } from '../../src/client/task.js';
import { href } from '../route.js';
import { bytes, clock, count, milliseconds } from '../ui/format.js';
import { VisibleText } from '../verdict/visible-text.js';
import { nowMs } from './clock.js';
import { Age } from './task-columns.js';

/** What a task is, apart from how it went. Groups and tags lead to the tasks that have them too. */
export function Facts({ task }: { task: Task }) {
  return (
    <dl class="task-facts">
      {rowsOf(task).map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function rowsOf(task: Task): [string, ComponentChildren][] {
  const { group, tags, worker, runAt, expiresAt, nextAttemptAt, finishedAt } = task;
  const rows: [string, ComponentChildren][] = [
    ['Type', <a href={href(['tasks'], { type: task.type })}>{task.type}</a>],
    ['Created', <Time at={task.createdAt} />],
  ];
  if (runAt !== undefined) rows.push(['Not before', <Time at={runAt} />]);
  if (nextAttemptAt !== undefined) rows.push(['Next attempt', <Time at={nextAttemptAt} />]);
  if (finishedAt !== undefined) rows.push(['Finished', <Time at={finishedAt} />]);
  else if (expiresAt !== undefined) rows.push(['Expires', <Time at={expiresAt} />]);
  if (group !== undefined) {
    const link = (
      <a href={href(['tasks'], { group })}>
        <VisibleText text={group} />
      </a>
    );
    rows.push(['Group', link]);
  }
  if (tags.length > 0) {
    const links = tags.map((tag) => (
      <a key={tag} class="tag" href={href(['tasks'], { tag })}>
        <VisibleText text={tag} />
      </a>
    ));
    rows.push(['Tags', <span class="tags">{links}</span>]);
  }
  if (worker !== undefined) rows.push(['Worker', <VisibleText text={worker} />]);
  rows.push(['Priority', task.priority], ['Network', task.network], ['Limits', limitsOf(task)]);
  rows.push(['Kept', durabilities[task.durability]]);
  return rows;
}

const durabilities = {
  fsync: 'on disk before its submission was answered',
  os: 'with the operating system before its submission was answered',
  memory: 'in memory only',
} as const;

function limitsOf({ limits }: Task): string {
  const { wallMs, cpuMs, memoryBytes, outputBytes, diskBytes, files, openFiles, processes } =
    limits;
  return [
    `${milliseconds(wallMs)} of time`,
    `${milliseconds(cpuMs)} of processor`,
    ...(memoryBytes === undefined ? [] : [`${bytes(memoryBytes)} of memory`]),
    `${bytes(outputBytes)} of output`,
    `${bytes(diskBytes)} of disk`,
    ...(files === undefined ? [] : [`${count(files)} files`]),
    `${count(openFiles)} open files`,
    `${count(processes)} processes`,
  ].join(', ');
}

function Time({ at }: { at: string }) {
  const atMs = Date.parse(at);
  return (
    <>
      <time dateTime={at} title={at}>
        {clock(at)}
      </time>
      {atMs <= nowMs.value && (
        <span class="dim">
          {' '}
          (<Age atMs={atMs} />)
        </span>
      )}
    </>
  );
}
