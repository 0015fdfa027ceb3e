import { useEffect, useState } from 'preact/hooks';
import type { Explanation } from '../../src/client/task.js';
import { askJson } from '../api/http.js';
import { sentenceOf } from '../api/problem.js';
import { clock, milliseconds } from '../ui/format.js';
import type { LiveTask, TaskChange } from '../verdict/live-task.js';
import { VisibleText } from '../verdict/visible-text.js';

/** A task that waits for longer has a reason that is worth telling. Milliseconds. */
const explainedMs = 1_000;
/** Between two looks at the clock. Milliseconds. */
const tickMs = 100;

/** What a task does that has not ended. */
export function Progress({ live }: { live: LiveTask }) {
  const change = live.change.value;
  const isRunning = change?.state === 'running';
  return (
    <div class="verdict">
      <p class="verdict-line">
        <span class={`badge ${isRunning ? 'busy' : 'idle'}`}>
          {isRunning ? 'running' : 'waiting to run'}
        </span>
        {change && change.attempt > 1 && <span class="hint">attempt {change.attempt}</span>}
        {change && <Elapsed key={`${change.state} ${change.at}`} />}
      </p>
      {change && !isRunning && <Waiting key={change.at} id={live.id} change={change} />}
    </div>
  );
}

/** Since this was shown: the clocks of the service and of the browser may differ. */
function Elapsed() {
  const [ms, setMs] = useState(0);
  useEffect(() => {
    const from = performance.now();
    const timer = setInterval(() => setMs(performance.now() - from), tickMs);
    return () => clearInterval(timer);
  }, []);
  return (
    <span class="hint elapsed" aria-hidden="true">
      {ms < 60_000 ? `${(ms / 1_000).toFixed(1)} s` : milliseconds(ms)}
    </span>
  );
}

function Waiting({ id, change }: { id: string; change: TaskChange }) {
  const [text, setText] = useState('');
  useEffect(() => {
    const explain = async () => {
      try {
        const path = `/v1/tasks/${encodeURIComponent(id)}/explain`;
        const { text: told, state } = await askJson<Explanation>(path);
        if (state === 'pending') setText(told);
      } catch (error) {
        setText(sentenceOf(error));
      }
    };
    const timer = setTimeout(() => void explain(), explainedMs);
    return () => clearTimeout(timer);
  }, [id]);
  return (
    <>
      {change.reason && (
        <p class="verdict-reason">
          <VisibleText text={change.reason} />
        </p>
      )}
      {change.nextAttemptAt && (
        <p class="hint">It is tried again at {clock(change.nextAttemptAt)}.</p>
      )}
      {text !== '' && (
        <p class="hint" role="status">
          <VisibleText text={text} />
        </p>
      )}
    </>
  );
}
