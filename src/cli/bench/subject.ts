import type { Queue, Scriptd, TaskSpec } from '../../client/index.js';
import { errorCode, ScriptdError } from '../../errors.js';
import { type SubmissionOptions, scriptOf, specOf } from '../submission.js';

export interface SubjectOptions extends SubmissionOptions {
  code?: string;
}

/** What is submitted again and again, and what a reader of the figures has to know of it. */
export interface Subject {
  spec: TaskSpec;
  /** What runs, in a few words. */
  what: string;
  /** Why nothing might run. */
  warning?: string;
}

/** What is submitted where nobody says what: as little as a type can do. The first that there is. */
const smallest: Readonly<Record<string, string>> = {
  noop: '',
  python: 'print(1)',
  node: 'console.log(1)',
  bash: 'echo 1',
};

/** What all tasks of a bench have, beside a tag that only those of this one have. */
export const benchTag = 'bench';

/**
 * The task that is submitted: a script of the caller's own, or the smallest that its type has.
 *
 * @throws ScriptdError BAD_OPTION, SCRIPT_UNREADABLE, and what `queues` throws
 */
export async function subjectOf(
  client: Scriptd,
  file: string | undefined,
  { code, ...options }: SubjectOptions,
  runTag: string,
): Promise<Subject> {
  if (code !== undefined && file !== undefined) throw unfit('--code and FILE do not go together');
  const script = file !== undefined ? scriptOf(file) : { code };
  const asked = { ...script, ...specOf(options) };
  const queues = await queuesOf(client);
  const type = asked.type ?? (asked.code === undefined ? smallestTypeOf(queues) : undefined);
  checkType(type, queues);
  const text = asked.code ?? (type === undefined ? undefined : smallest[type]);
  if (text === undefined) {
    throw unfit(`bench has no script of its own for type ${type}: name a FILE, or give --code`);
  }
  const tags = [...(options.tag ?? []), benchTag, runTag];
  const warning = warningOf(queues?.find((queue) => queue.type === type));
  return {
    spec: { ...asked, code: text, ...(type !== undefined && { type }), tags },
    what: whatOf(file, asked.code, text, type),
    ...(warning !== undefined && { warning }),
  };
}

/** Undefined where the token may submit, but not look. */
async function queuesOf(client: Scriptd): Promise<Queue[] | undefined> {
  try {
    return await client.queues();
  } catch (error) {
    if (errorCode(error) === 'INSUFFICIENT_SCOPE') return undefined;
    throw error;
  }
}

function smallestTypeOf(queues: Queue[] | undefined): string {
  if (!queues) throw unfit('the token may not ask which types there are: give --type');
  const isOpen = (type: string) =>
    queues.some((queue) => queue.type === type && queue.workers > 0 && !queue.paused);
  const known = Object.keys(smallest).filter((type) => queues.some((queue) => queue.type === type));
  const found = known.find(isOpen) ?? known[0];
  if (found !== undefined) return found;
  throw unfit(`name a FILE, or give --code, and --type: ${typesText(queues)}`);
}

/** Better said at once than a thousand times. */
function checkType(type: string | undefined, queues: Queue[] | undefined): void {
  if (type === undefined || !queues || queues.some((queue) => queue.type === type)) return;
  throw unfit(`--type ${type}: the service has no such type; ${typesText(queues)}`);
}

function typesText(queues: readonly Queue[]): string {
  const types = queues.map(({ type }) => type).sort();
  return types.length > 0 ? `there are: ${types.join(', ')}` : 'it has none, as no worker is there';
}

function warningOf(queue: Queue | undefined): string | undefined {
  if (queue?.paused) return `type ${queue.type} is paused: its tasks wait until it is resumed`;
  if (queue?.workers === 0)
    return `no worker of type ${queue.type} is there: its tasks wait for one`;
  return undefined;
}

function whatOf(
  file: string | undefined,
  code: string | undefined,
  text: string,
  type: string | undefined,
): string {
  if (file !== undefined) return file === '-' ? 'the script of standard input' : file;
  if (code === undefined && type === 'noop') return 'no script: a worker answers at once';
  const line = text.split('\n', 1)[0] ?? '';
  return line === text && line.length <= 60 ? line : `${line.slice(0, 60)}…`;
}

function unfit(text: string): ScriptdError {
  return new ScriptdError('BAD_OPTION', text);
}
