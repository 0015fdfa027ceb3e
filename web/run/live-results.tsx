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
import { cancelRun, type LiveRun } from './current-run.js';
import { Progress } from './progress.js';
import { showLine } from './shown-line.js';

/** Of a script that the service has: its state, its output as it comes, its verdict. */
export function LiveResults({ live, spec, isCancelling }: LiveRun) {
  const task = live.task.value;
  const isLost = live.isLost.value;
  const files = useFiles(task?.id, spec?.collect !== undefined && may('read'));
  const { stdout, stderr } = live.outputs.value;
  // Drawn again with both: their sizes are told here, and the second comes with its first bytes.
  void stdout.text.version.value;
  void stderr.text.version.value;
  const outputBytes = { stdout: stdout.byteCount, stderr: stderr.byteCount };
  const source = (name: string) =>
    task && may('read') ? `/v1/tasks/${encodeURIComponent(live.id)}/${name}` : undefined;
  return (
    <>
      <div class="card padded outcome">
        <div class="outcome-head">
          {task && <Verdict task={{ ...task, ...files }} />}
          {!task && !isLost && <Progress live={live} />}
          {isLost && <Lost fault={live.fault.value} />}
          <div class="buttons">
            {!task && !isLost && (
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
        {live.fault.value !== '' && !task && !isLost && (
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
        empty={task || isLost ? 'Nothing.' : 'Nothing yet.'}
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

function Lost({ fault }: { fault: string }) {
  return (
    <div class="verdict">
      <p>What became of this task can't be told any more.</p>
      <p class="fault" role="alert">
        {fault}
      </p>
    </div>
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
