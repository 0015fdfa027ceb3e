import { useEffect, useState } from 'preact/hooks';
import type { Task } from '../../src/client/task.js';
import { askJson } from '../api/http.js';
import { may } from '../api/session.js';
import { href } from '../route.js';
import { attempt } from '../ui/notices.js';
import { ExceptionView } from '../verdict/exception.js';
import { Gauges } from '../verdict/gauges.js';
import { Output } from '../verdict/output.js';
import { Timeline } from '../verdict/timeline.js';
import { Verdict } from '../verdict/verdict.js';
import { VisibleText } from '../verdict/visible-text.js';
import { cancelRun, isUnderWay, type LiveRun, type Run, run } from './current-run.js';
import { Progress } from './progress.js';
import { showLine } from './shown-line.js';

/** The same in a few words, for who can't see it: it is read out when it changes. */
export function Status() {
  return (
    <p class="only-read" role="status">
      <VisibleText text={statusOf(run.value)} />
    </p>
  );
}

function statusOf(current: Run): string {
  if (current.kind === 'sending') return 'Sending.';
  if (current.kind !== 'live') return '';
  const { change, task } = current.live;
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
        <p>Sending …</p>
      ) : (
        <>
          <p>Nothing has been run yet.</p>
          <p class="hint">What the script writes will appear here, as it writes it.</p>
        </>
      )}
    </div>
  );
}

function LiveResults({ live, spec, isCancelling }: LiveRun) {
  const task = live.task.value;
  const files = useFiles(task?.id, spec?.collect !== undefined && may('read'));
  const { stdout, stderr } = live.outputs.value;
  // Told here, not only in the parts below: the second output comes with its first bytes.
  void stderr.text.version.value;
  const outputBytes = { stdout: stdout.byteCount, stderr: stderr.byteCount };
  const source = (name: string) =>
    task && may('read') ? `/v1/tasks/${encodeURIComponent(live.id)}/${name}` : undefined;
  return (
    <>
      <div class="card padded outcome">
        <div class="outcome-head">
          {task ? (
            <Verdict task={{ ...task, ...files }} />
          ) : (
            !live.isLost.value && <Progress live={live} />
          )}
          <div class="buttons">
            {isUnderWay(run.value) && (
              <button type="button" disabled={isCancelling} onClick={() => void cancelRun()}>
                {isCancelling ? 'Cancelling …' : 'Cancel'}
              </button>
            )}
            {may('read') && (
              <a class="button" href={href(['tasks', live.id])} title={live.id}>
                Task
              </a>
            )}
          </div>
        </div>
        {live.fault.value !== '' && !task && (
          <p class="fault" role="alert">
            Out of touch: {live.fault.value}
          </p>
        )}
      </div>
      {task?.exception && <ExceptionView exception={task.exception} onLine={spec && showLine} />}
      <Output
        text={stdout.text}
        label="stdout"
        byteCount={stdout.byteCount}
        source={source('stdout')}
        empty={task ? 'It wrote nothing here.' : 'Nothing yet.'}
      />
      {stderr.byteCount > 0 && (
        <Output
          text={stderr.text}
          label="stderr"
          isLive={!task}
          byteCount={stderr.byteCount}
          source={source('stderr')}
        />
      )}
      {task && (
        <div class="card padded figures">
          <Timeline task={task} />
          <Gauges task={task} outputBytes={outputBytes} />
        </div>
      )}
    </>
  );
}

/** Files that a task handed back, which its stream does not have. @param id once it has ended */
function useFiles(id: string | undefined, isWanted: boolean): Pick<Task, 'files'> {
  const [found, setFound] = useState<Pick<Task, 'files'>>({});
  useEffect(() => {
    if (id === undefined || !isWanted) return;
    void attempt(async () => {
      const { files } = await askJson<Task>(`/v1/tasks/${encodeURIComponent(id)}`);
      if (files) setFound({ files });
    });
  }, [id, isWanted]);
  return found;
}
