import { may } from '../api/session.js';
import { VisibleText } from '../verdict/visible-text.js';
import { type Run, run } from './current-run.js';
import { LiveResults } from './live-results.js';

/** The same in a few words, for who can't see it: it is read out when it changes. */
export function Status() {
  return (
    <p class="only-read" role="status">
      <VisibleText text={statusOf(run.value)} />
    </p>
  );
}

function statusOf(current: Run): string {
  if (current.kind === 'sending') return may('read') ? 'Sending.' : 'Running.';
  if (current.kind !== 'live') return '';
  const { change, task, isLost } = current.live;
  if (isLost.value) return '';
  if (!task.value) return change.value?.state === 'running' ? 'Running.' : 'Waiting to run.';
  const { outcome, reason = '' } = task.value;
  return `Ended: ${outcome.replaceAll('_', ' ')}. ${reason}`;
}

/** What comes of the script that was run, while it comes and after. */
export function Results() {
  const current = run.value;
  if (current.kind === 'live') {
    return <LiveResults key={current.live.id} {...current} />;
  }
  if (current.kind === 'refused') {
    return (
      <div class="card padded">
        <p>The service did not take it:</p>
        <p class="fault" role="alert">
          {current.fault}
        </p>
      </div>
    );
  }
  return (
    <div class="card nothing">
      {current.kind === 'sending' ? (
        <>
          <p>{may('read') ? 'Sending …' : 'Running …'}</p>
          {!may('read') && (
            <p class="hint">This token may not read: what is written comes when all of it has.</p>
          )}
        </>
      ) : (
        <>
          <p>Nothing has been run yet.</p>
          <p class="hint">What the script writes will appear here, as it writes it.</p>
        </>
      )}
    </div>
  );
}
