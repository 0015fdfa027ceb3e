import type { ExecuteMessage } from './queue.js';
import type { ProcessRuntime } from './runtimes/runtime.js';
import type { InputFile } from './sandbox-plan.js';

const scriptMode = 0o600;
const fileMode = 0o644;

/** What lies in the work directory when a script starts: the script first, then what the task brings. */
export function scriptFiles(
  runtime: Pick<ProcessRuntime, 'scriptName'>,
  task: Pick<ExecuteMessage, 'code' | 'files'>,
): InputFile[] {
  return [
    { name: runtime.scriptName, content: Buffer.from(task.code), mode: scriptMode },
    ...(task.files ?? []).map(({ name, content }) => ({ name, content, mode: fileMode })),
  ];
}
