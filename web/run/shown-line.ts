import { computed, signal } from '@preact/signals';
import { isOfScript } from '../verdict/exception.js';
import { type Run, run } from './current-run.js';
import { draft } from './draft.js';

export interface ShownLine {
  /** From 1. */
  line: number;
  /** There when somebody asked to see it, another each time: then the editor goes there. */
  wish: Wish | undefined;
}

interface Wish {
  line: number;
  /** The run that it is about. */
  of: Run;
}

const wanted = signal<Wish | undefined>(undefined);

export function showLine(line: number): void {
  wanted.value = { line, of: run.peek() };
}

/** The line to be marked in the editor: while its text is the one that was run. */
export const shownLine = computed<ShownLine | undefined>(() => {
  const current = run.value;
  if (current.kind !== 'live' || current.spec?.code !== draft.value.code) return undefined;
  const wish = wanted.value;
  if (wish?.of === current) return { line: wish.line, wish };
  const frames = current.live.task.value?.exception?.frames ?? [];
  const frame = frames.findLast(({ file, line }) => line !== undefined && isOfScript(file));
  return frame?.line === undefined ? undefined : { line: frame.line, wish: undefined };
});
