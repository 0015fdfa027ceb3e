import { isUtf8 } from 'node:buffer';
import { taskJson } from '../http/task-json.js';
import { timeText } from '../http/time-text.js';
import type { TaskView } from '../task.js';
import { webhookLimits } from './limits.js';

/** What a receiver is told of a finished task: bounded, whatever the task left. */
export interface Notice {
  /** Without files, and with no more of the rest than the limits say. */
  task: TaskView;
  files: { name: string; bytes: number }[] | undefined;
  /** What is not whole in `task`. */
  cut: Cut[];
}

type Cut = 'stdout' | 'stderr' | 'exception' | 'attempts';

/** Copies little: this is done next to the scheduler, and the rest where it is sent from. */
export function noticeOf({ files, ...view }: TaskView): Notice {
  const task = { ...view };
  const cut: Cut[] = [];
  for (const stream of ['stdout', 'stderr'] as const) {
    const bytes = task[stream];
    if (!bytes || bytes.length <= webhookLimits.outputBytesMax) continue;
    task[stream] = beginningOf(bytes);
    cut.push(stream);
  }
  const { exception, attempts } = task;
  if (exception && JSON.stringify(exception).length > webhookLimits.exceptionCharactersMax) {
    delete task.exception;
    cut.push('exception');
  }
  if (attempts.length > webhookLimits.attemptsMax) {
    task.attempts = attempts.slice(-webhookLimits.attemptsMax);
    cut.push('attempts');
  }
  return { task, cut, files: files?.map(({ name, content }) => ({ name, bytes: content.length })) };
}

/** The body of the request: JSON. */
export function bodyOf({ task, files, cut }: Notice): string {
  const path = `/v1/tasks/${task.id}`;
  return JSON.stringify({
    type: 'task.finished',
    timestamp: timeText(task.finishedAt ?? 0),
    data: {
      ...taskJson(task),
      ...(files && { files }),
      ...(cut.length > 0 && { cut }),
      links: { task: path, stdout: `${path}/stdout`, stderr: `${path}/stderr` },
    },
  });
}

/** As much as may be sent; of text, whole characters. */
function beginningOf(bytes: Uint8Array): Uint8Array {
  let end: number = webhookLimits.outputBytesMax;
  // A byte 10xxxxxx goes on with the character before it, which has at most three of them.
  for (let back = 0; back < 3 && ((bytes[end] ?? 0) & 0xc0) === 0x80; back++) end -= 1;
  const text = Buffer.from(bytes.subarray(0, end));
  return isUtf8(text) ? text : Buffer.from(bytes.subarray(0, webhookLimits.outputBytesMax));
}
