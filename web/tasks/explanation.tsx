import { useEffect, useRef } from 'preact/hooks';
import type { Task } from '../../src/client/task.js';
import { overview } from '../api/overview.js';
import { ago, milliseconds } from '../ui/format.js';
import { VisibleText } from '../verdict/visible-text.js';
import { nowMs } from './clock.js';
import type { TaskWatch } from './task-watch.js';

/** Between two questions why a task is where it is. Milliseconds. */
const askingMs = 1_000;
/** Of an answer that needs no time beside it. Milliseconds. */
const freshMs = 4_000;

/** Why a task that has not ended is where it is, in words: asked again whenever something moves. */
export function ExplanationOf({ watch }: { watch: TaskWatch }) {
  const task = watch.task.value;
  const askedMs = useRef(0);
  const isOpen = task !== undefined && task.state !== 'finished';
  useEffect(() => {
    if (!isOpen) return undefined;
    const ask = () => {
      askedMs.current = performance.now();
      void watch.explain();
    };
    const timer = setTimeout(ask, Math.max(0, askedMs.current + askingMs - performance.now()));
    return () => clearTimeout(timer);
  }, [watch, isOpen, task, overview.value]);
  const { value: explanation } = watch.explanation;
  if (!isOpen || !explanation || explanation.state !== task.state) return null;
  return (
    <p class="explanation">
      {explanation.reason === 'running' && task.startedAt !== undefined ? (
        <Running task={task} startedAt={task.startedAt} />
      ) : (
        <>
          <VisibleText text={explanation.text} /> <Asked atMs={watch.explainedMs} />
        </>
      )}
    </p>
  );
}

/** Said here, for it goes on: what the service said of it was true when it said it. */
function Running({ task, startedAt }: { task: Task; startedAt: string }) {
  const { attempt, worker } = task;
  const forMs = Math.max(0, nowMs.value - Date.parse(startedAt));
  return (
    <>
      Attempt {attempt} has been running on worker <VisibleText text={worker ?? '?'} /> for{' '}
      {milliseconds(Math.floor(forMs / 1_000) * 1_000)}.
    </>
  );
}

/** The service is asked again when something moves; until then, what it said grows old. */
function Asked({ atMs }: { atMs: number }) {
  const isFresh = nowMs.value - atMs < freshMs;
  return (
    <span class="hint">{!isFresh && `(${ago(new Date(atMs).toISOString(), nowMs.value)})`}</span>
  );
}
