import type { TaskSpec, TaskView } from '../task.js';
import type { Webhook } from '../webhook.js';
import { bytesJson } from './json-bytes.js';
import { timeText } from './time-text.js';

/** What was asked for, as a body that would ask for it again: the reverse of `readTaskBody`, but for secrets. */
export function specJson(spec: TaskSpec): Record<string, unknown> {
  const { stdin, files, runAt, webhook, ...rest } = spec;
  return {
    ...rest,
    ...(stdin && { stdin: bytesBody(stdin) }),
    ...(files && {
      // Not by assignment: a file may be called __proto__.
      files: Object.fromEntries(files.map(({ name, content }) => [name, bytesBody(content)])),
    }),
    ...(webhook && { webhook: withoutSecret(webhook) }),
    ...(runAt !== undefined && { runAt: timeText(runAt) }),
  };
}

/**
 * What a task was submitted with, as whoever runs it again with changes wants it: contents of its
 * files, and what signs for it, are left out.
 *
 * @param task as it stands; what the service has decided is told as it was decided
 */
export function askedJson(task: TaskView, spec: TaskSpec): Record<string, unknown> {
  const { code, args = [], stdin, env, files = [], collect, limits = {}, check, retry } = spec;
  const { type, network, priority, group, tags } = task;
  return {
    ...{ code, type, args },
    ...(stdin && { stdin: bytesBody(stdin) }),
    ...(env && { env }),
    files: Object.fromEntries(files.map(({ name, content }) => [name, { bytes: content.length }])),
    ...(collect && { collect }),
    ...{ limits, network, priority },
    ...(group !== undefined && { group }),
    tags,
    ...(check && { check }),
    ...(retry && { retry }),
    inspect: spec.inspect ?? false,
  };
}

/** Nobody who looks at a task is shown what signs for it. */
function withoutSecret({ secret: _, ...shown }: Webhook): Webhook {
  return shown;
}

function bytesBody(bytes: Uint8Array): string | { base64: string } {
  const { text, encoding } = bytesJson(bytes);
  return encoding === 'utf-8' ? text : { base64: text };
}
