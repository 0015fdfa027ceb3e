import { signal } from '@preact/signals';
import { isFinished, type Task, type TaskSpec } from '../../src/client/task.js';
import { askJson } from '../api/http.js';
import { ApiError } from '../api/problem.js';
import { keptForOwner, may } from '../api/session.js';
import { attempt } from '../ui/notices.js';
import { LiveTask } from '../verdict/live-task.js';
import { draft } from './draft.js';
import { type Faults, readDraft } from './submission.js';

/** What became of the last script that was run here. */
export type Run =
  | { kind: 'none' }
  | { kind: 'sending' }
  /** By the service, for what no field of the page stands for. */
  | { kind: 'refused'; fault: string }
  | LiveRun;

export interface LiveRun {
  kind: 'live';
  live: LiveTask;
  /** What was run: the fields may say another thing by now. Undefined: it was before a reload. */
  spec: TaskSpec | undefined;
  isCancelling: boolean;
}

export const run = signal<Run>({ kind: 'none' });

/** What is wrong with the fields, until they are sent again. */
export const faults = signal<Faults>({});

/** How often there were any: whoever sent them is led to the first. */
export const complaints = signal(0);

export function complain(found: Faults): void {
  faults.value = found;
  if (Object.keys(found).length > 0) complaints.value += 1;
}

export function clearFault(name: string): void {
  if (faults.peek()[name] === undefined) return;
  const { [name]: _, ...others } = faults.peek();
  faults.value = others;
}

/** How long a token that may not read can wait for its result: the longest that there is. Seconds. */
const waitSeconds = 600;
const place = 'scriptd-run';

/** Fields of the page; the service says `env.NAME` where the field is `env`. */
const fields = new Set(['code', 'args', 'stdin', 'env', 'files', 'network', 'priority', 'group']);
const limitFields = new Set(['wallMs', 'cpuMs', 'memoryBytes', 'outputBytes', 'processes']);

keptForOwner(() => {
  stopFollowing();
  run.value = { kind: 'none' };
  faults.value = {};
});

export function isUnderWay(current: Run): boolean {
  if (current.kind === 'live') return !current.live.task.value && !current.live.isLost.value;
  return current.kind === 'sending';
}

/** Submits what stands in the fields, and follows what comes of it. */
export async function startRun(): Promise<void> {
  if (isUnderWay(run.peek())) return;
  const read = readDraft(draft.peek());
  complain('faults' in read ? read.faults : {});
  if ('faults' in read) return;
  const { spec } = read;
  stopFollowing();
  run.value = { kind: 'sending' };
  try {
    // Who may not read is told by the answer alone what came of it.
    const path = may('read') ? '/v1/tasks' : `/v1/tasks?wait=${waitSeconds}`;
    const task = await askJson<Task>(path, { method: 'POST', body: spec });
    const live = liveOf(task);
    run.value = { kind: 'live', live, spec, isCancelling: false };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    refuse(error);
  }
}

function liveOf(task: Task): LiveTask {
  if (!may('read')) {
    if (isFinished(task)) return LiveTask.ended(task);
    const { id } = task;
    throw new ApiError(`Task ${id} goes on, and this token may not read what comes of it.`, {});
  }
  sessionStorage.setItem(place, task.id);
  return LiveTask.follow(task.id);
}

/** After a reload of the page: goes on with what was run before it. */
export function resumeRun(): void {
  const id = sessionStorage.getItem(place);
  if (run.peek().kind !== 'none' || id === null || !may('read')) return;
  run.value = { kind: 'live', live: LiveTask.follow(id), spec: undefined, isCancelling: false };
}

export async function cancelRun(): Promise<void> {
  const current = run.peek();
  if (current.kind !== 'live' || current.isCancelling) return;
  run.value = { ...current, isCancelling: true };
  await attempt(async () => {
    try {
      await askJson(`/v1/tasks/${encodeURIComponent(current.live.id)}/cancel`, { method: 'POST' });
    } catch (error) {
      // It had ended by itself: as good.
      if (!(error instanceof ApiError) || error.code !== 'ALREADY_FINISHED') throw error;
    }
  });
  const after = run.peek();
  if (after.kind === 'live' && after.live === current.live) {
    run.value = { ...after, isCancelling: false };
  }
}

function stopFollowing(): void {
  const current = run.peek();
  if (current.kind === 'live') current.live.stop();
  sessionStorage.removeItem(place);
}

function refuse(error: ApiError): void {
  const field = fieldOf(error.field);
  if (field === undefined) run.value = { kind: 'refused', fault: error.message };
  else {
    complain({ [field]: error.message });
    run.value = { kind: 'none' };
  }
}

/** The field of the page that stands for what the service calls so. */
function fieldOf(name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  const [first = '', second = ''] = name.split(/[.[]/);
  if (first === 'limits' && limitFields.has(second)) return `limits.${second}`;
  if (fields.has(first)) return first;
  return draft.peek().further.trim() === '' ? undefined : 'further';
}
