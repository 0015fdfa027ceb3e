import type { Explanation } from '../scheduler/scheduler.js';
import type { TaskState, TaskView } from '../task.js';
import type { MessageOf } from '../wire/messages.js';
import type { ExplanationShape } from '../wire/reports.js';
import type { ClientRequests } from './client-requests.js';
import { unknownTask } from './refusal.js';

/** Why a task is where it is: the scheduler's word on an unfinished one, the verdict of another. */
export async function explanationOf(
  { requestId, taskId }: MessageOf<'explain'>,
  requests: Pick<ClientRequests, 'explain' | 'read'>,
): Promise<MessageOf<'explanation'>> {
  const found = requests.explain(taskId);
  if (found) {
    const state = states[found.reason];
    return { kind: 'explanation', requestId, taskId, state, explanation: withoutAbsent(found) };
  }
  const task = await requests.read(taskId, { bulk: false });
  if (!task) throw unknownTask(taskId);
  const { state } = task;
  return { kind: 'explanation', requestId, taskId, state, explanation: verdictOf(task) };
}

const states = {
  waits_for_run_at: 'pending',
  waits_for_retry: 'pending',
  retry_rate: 'pending',
  paused: 'pending',
  draining: 'pending',
  recovering: 'pending',
  no_worker: 'pending',
  workers_draining: 'pending',
  fair_share: 'pending',
  busy: 'pending',
  prefetched: 'running',
  worker_away: 'running',
  stopping: 'running',
  running: 'running',
} satisfies Record<Explanation['reason'], TaskState>;

/** Of a task that the scheduler does not have. */
function verdictOf({ state, outcome, ...task }: TaskView): ExplanationShape {
  if (state !== 'finished' || outcome === undefined) {
    const text = 'It is on its way into the store, or its end is; ask again.';
    return { reason: 'storing', text };
  }
  const { code, attempt, worker, reason, deadLetter } = task;
  const detail = { attempt, outcome, ...(code && { code }), ...(worker && { worker }) };
  const where = worker === undefined ? '' : ` in attempt ${attempt} on worker ${worker}`;
  const why = code === undefined ? '' : ` (${code})`;
  const again = deadLetter
    ? ' Its attempts are used up, by no doing of its own: send it again.'
    : '';
  const text = `It ended with ${outcome}${why}${where}.${reason ? ` ${reason}` : ''}${again}`;
  return { reason: 'finished', text, ...detail };
}

/** A field is left out on the wire, never undefined. */
function withoutAbsent(explanation: Explanation): ExplanationShape {
  if (explanation.reason !== 'waits_for_retry') return explanation;
  const { code, ...rest } = explanation;
  return code === undefined ? rest : { ...rest, code };
}
