import type { Task } from '../../src/client/task.js';
import { clock } from '../ui/format.js';
import { VisibleText } from '../verdict/visible-text.js';
import { lifeOf } from './life.js';

/** What happened to a task, and what is to come, in the order of time. */
export function LifeList({ task }: { task: Task }) {
  const startMs = Date.parse(task.createdAt);
  return (
    <ol class="life">
      {lifeOf(task).map(({ at, text, kind, reason }) => (
        <li key={`${at} ${text}`} class={kind}>
          <time dateTime={at} title={at}>
            {clock(at)}
          </time>
          <span class="dim since">{since(Date.parse(at) - startMs)}</span>
          <span>
            {kind === 'coming' && 'to come: '}
            <VisibleText text={text} />
            {reason !== undefined && (
              <span class="dim">
                {' – '}
                <VisibleText text={reason} />
              </span>
            )}
          </span>
        </li>
      ))}
    </ol>
  );
}

/** After the submission. */
function since(ms: number): string {
  if (ms === 0) return '';
  const seconds = Math.abs(ms) / 1_000;
  return `${ms < 0 ? '−' : '+'}${seconds < 100 ? seconds.toFixed(3) : Math.round(seconds)} s`;
}
