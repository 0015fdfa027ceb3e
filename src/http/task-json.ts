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

const timeNames = [
  'createdAt',
  'runAt',
  'expiresAt',
  'nextAttemptAt',
  'startedAt',
  'finishedAt',
] as const satisfies readonly (keyof TaskView)[];

/** A task as JSON shows it: times as RFC 3339, outputs as text. What is not known yet is absent. */
export function taskJson(task: TaskView): Record<string, unknown> {
  // A copy, in which what JSON shows otherwise is replaced: quicker than to put one together.
  const json: Record<string, unknown> = { ...task };
  for (const name of timeNames) {
    const ms = task[name];
    if (ms !== undefined) json[name] = timeText(ms);
  }
  const { attempts, cancel, stdout, stderr, files } = task;
  if (attempts.length > 0) json.attempts = attempts.map(attemptJson);
  if (cancel) json.cancel = cancelJson(cancel);
  if (stdout || stderr) Object.assign(json, outputMembers(task));
  if (files) json.files = filesJson(files);
  return json;
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
