import { useEffect, useRef } from 'preact/hooks';
import { overview } from '../api/overview.js';
import { VisibleText } from '../verdict/visible-text.js';
import type { TaskWatch } from './task-watch.js';

/** Between two questions why a task is where it is. Milliseconds. */
const askingMs = 1_000;

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
  if (!isOpen || !explanation || explanation.state === 'finished') return null;
  return (
    <p class="explanation">
      <VisibleText text={explanation.text} />
    </p>
  );
}
