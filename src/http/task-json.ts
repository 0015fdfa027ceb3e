import type { AttemptRecord, CancelRecord, TaskView } from '../task.js';
import { bytesJson } from './json-bytes.js';
import { filesJson } from './task-files.js';
import { timeText } from './time-text.js';

/** Both outputs as members of a JSON object; absent outputs are left out. */
export function outputMembers(task: Pick<TaskView, 'stdout' | 'stderr'>): Record<string, string> {
  const members: Record<string, string> = {};
  for (const stream of ['stdout', 'stderr'] as const) {
    const bytes = task[stream];
    if (!bytes) continue;
    const { text, encoding } = bytesJson(bytes);
    members[stream] = text;
    members[`${stream}Encoding`] = encoding;
  }
  return members;
}

/** A task as JSON shows it: times as RFC 3339, outputs as text. What is not known yet is absent. */
export function taskJson(task: TaskView): Record<string, unknown> {
  const { createdAt, runAt, expiresAt, nextAttemptAt, startedAt, finishedAt, ...timeless } = task;
  const { stdout, stderr, files, attempts, cancel, ...rest } = timeless;
  return {
    ...rest,
    attempts: attempts.map(attemptJson),
    ...timeMembers({ createdAt, runAt, expiresAt, nextAttemptAt, startedAt, finishedAt }),
    ...(cancel && { cancel: cancelJson(cancel) }),
    ...outputMembers({ ...(stdout && { stdout }), ...(stderr && { stderr }) }),
    ...(files && { files: filesJson(files) }),
  };
}

function attemptJson(record: AttemptRecord): Record<string, unknown> {
  const { startedAt, finishedAt, ...rest } = record;
  return { ...rest, ...timeMembers({ startedAt, finishedAt }) };
}

function cancelJson({ cause, ...times }: CancelRecord): Record<string, unknown> {
  return { cause, ...timeMembers(times) };
}

/** Those of these times that are known, as text. */
export function timeMembers(times: Record<string, number | undefined>): Record<string, string> {
  const members: Record<string, string> = {};
  for (const [name, ms] of Object.entries(times)) {
    if (ms !== undefined) members[name] = timeText(ms);
  }
  return members;
}
