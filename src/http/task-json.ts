import type { AttemptRecord, TaskView } from '../task.js';
import { bytesJson } from './json-bytes.js';
import { filesJson } from './task-files.js';

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
  const { createdAt, startedAt, finishedAt, stdout, stderr, files, attempts, ...rest } = task;
  return {
    ...rest,
    attempts: attempts.map(attemptJson),
    ...timeMembers({ createdAt, startedAt, finishedAt }),
    ...outputMembers({ ...(stdout && { stdout }), ...(stderr && { stderr }) }),
    ...(files && { files: filesJson(files) }),
  };
}

function attemptJson(record: AttemptRecord): Record<string, unknown> {
  const { startedAt, finishedAt, ...rest } = record;
  return { ...rest, ...timeMembers({ startedAt, finishedAt }) };
}

function timeMembers(times: Record<string, number | undefined>): Record<string, string> {
  const members: Record<string, string> = {};
  for (const [name, ms] of Object.entries(times)) {
    if (ms !== undefined) members[name] = new Date(ms).toISOString();
  }
  return members;
}
