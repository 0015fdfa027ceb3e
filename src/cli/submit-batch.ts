import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type BatchTask,
  bytesOf,
  type FinishedTask,
  isFinished,
  type Problem,
  type Scriptd,
  type Task,
} from '../client/index.js';
import { errorCode, errorMessage, ScriptdError } from '../errors.js';
import { exitCodes } from './exit-codes.js';
import { onInterruption } from './interruption.js';
import { type Paint, painter } from './paint.js';
import { ProgressLine } from './progress.js';
import { clientFor, type ServiceOptions } from './service-client.js';
import { spanText } from './span.js';
import { isScript, type SubmissionOptions, scriptOf, specOf } from './submission.js';
import { type Column, tableLines, widthOf } from './table.js';
import { statusOf, toneOf } from './task-columns.js';
import { visible } from './visible.js';

interface Options extends ServiceOptions, SubmissionOptions {
  batch: string;
  out?: string;
  detach?: true;
  json?: true;
}

/** What became of one script. */
interface Entry {
  file: string;
  /** It is on its way, or there. */
  isSent?: true;
  /** As it stood last. */
  task?: Task;
  /** Why it was not taken. */
  error?: Pick<Problem, 'code' | 'detail'>;
}

/** Results are waited for so long. Seconds. */
const waitSeconds = 12 * 3_600;
const interrupted = 130;

/** `scriptd submit --batch DIR`: 0 when each succeeded, or with --detach was taken. */
export async function submitBatch(options: Options, file: string | undefined): Promise<number> {
  if (file !== undefined) {
    const text = 'with --batch the scripts are those of the folder: leave out FILE';
    throw new ScriptdError('BAD_OPTION', text);
  }
  const { files, others } = scriptsIn(options.batch);
  if (options.out !== undefined) makeFolder(options.out);
  const client = clientFor(options, { retries: 8 });
  const entries = files.map((name): Entry => ({ file: name }));
  const interrupt = new AbortController();
  const uninterrupted = onInterruption(() => {
    // The second time it leaves.
    if (interrupt.signal.aborted) process.exit(interrupted);
    interrupt.abort();
  });
  try {
    await collect(client, entries, options, interrupt.signal);
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    await cancelAll(client, entries);
    return interrupted;
  } finally {
    uninterrupted();
  }
  if (!options.json) printSummary(entries, others, painter(process.stdout));
  const isGood = ({ task }: Entry) =>
    options.detach ? task !== undefined : task?.outcome === 'success';
  return entries.every(isGood) ? exitCodes.done : exitCodes.failed;
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    const text = `--out ${folder} cannot be made a folder: ${errorMessage(cause)}`;
    throw new ScriptdError('BAD_OPTION', text, { cause });
  }
}

/** Names of the scripts in a folder, in order, and how many other files lie there. */
function scriptsIn(folder: string): { files: string[]; others: number } {
  try {
    const names = readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
      .map(({ name }) => name)
      .sort();
    const files = names.filter((name) => isScript(join(folder, name)));
    if (files.length > 0) return { files, others: names.length - files.length };
  } catch (cause) {
    if (cause instanceof ScriptdError) throw cause;
    const text = `${folder} cannot be read: ${errorMessage(cause)}`;
    throw new ScriptdError('SCRIPT_UNREADABLE', text, { cause });
  }
  const text = `${folder} has no scripts: files with an extension such as .py, or with a shebang`;
  throw new ScriptdError('SCRIPT_UNREADABLE', text);
}

async function collect(
  client: Scriptd,
  entries: Entry[],
  options: Options,
  signal: AbortSignal,
): Promise<void> {
  const common = specOf(options);
  function* tasks(): Generator<BatchTask> {
    for (const entry of entries) {
      entry.isSent = true;
      yield { ...scriptOf(join(options.batch, entry.file)), ...common };
    }
  }
  const progress = new ProgressLine(options.detach ? 'submitting' : 'running');
  let done = 0;
  const wait = options.detach ? {} : { waitSeconds };
  progress.show(0, entries.length);
  try {
    for await (const told of client.batch(tasks(), { ...wait, signal })) {
      const entry = entries[told.line - 1];
      if (!entry) continue;
      if ('error' in told) entry.error = told.error;
      else entry.task = told.task;
      const isSettled = entry.error || options.detach || entry.task?.state === 'finished';
      if (!isSettled) continue;
      progress.show(++done, entries.length);
      await settle(client, entry, options);
      // What is told of it is enough from here on: its outputs may be large.
      if (entry.task) entry.task = withoutOutputs(entry.task);
    }
  } finally {
    progress.end();
  }
}

function withoutOutputs({ stdout: _, stderr: __, files: ___, ...task }: Task): Task {
  return task;
}

/** One whose fate is known: to where it belongs. */
async function settle(client: Scriptd, entry: Entry, { out, json }: Options): Promise<void> {
  const { file, task, error } = entry;
  const whole = task && isFinished(task) && (json || out) ? await client.get(task.id) : task;
  const told = { file, ...(whole ? { task: whole } : { error }) };
  if (json) process.stdout.write(`${JSON.stringify(told)}\n`);
  if (out === undefined || !whole) return;
  writeFileSync(join(out, `${file}.json`), `${JSON.stringify(whole, undefined, 2)}\n`);
  if (isFinished(whole)) writeOutputs(join(out, file), whole);
}

function writeOutputs(path: string, task: FinishedTask): void {
  for (const stream of ['stdout', 'stderr'] as const) {
    const bytes = bytesOf(task[stream] ?? '', task[`${stream}Encoding`]);
    writeFileSync(`${path}.${stream}`, bytes);
  }
}

async function cancelAll(client: Scriptd, entries: Entry[]): Promise<void> {
  const open = entries.flatMap(({ task }) => (task && task.state !== 'finished' ? [task.id] : []));
  const unknown = entries.filter(({ isSent, task, error }) => isSent && !task && !error).length;
  const more =
    unknown > 0 ? `; ${unknown} were on their way: scriptd list shows whether they run` : '';
  process.stderr.write(`scriptd: cancelling ${open.length} tasks that have not finished${more}\n`);
  for (const id of open) {
    try {
      await client.cancel(id);
    } catch (error) {
      if (errorCode(error) !== 'ALREADY_FINISHED') throw error;
    }
  }
}

const columns: readonly Column<Entry>[] = [
  { title: 'FILE', of: ({ file }) => file, columnsMin: 12 },
  {
    title: 'STATUS',
    of: ({ task }) => (task ? statusOf(task) : 'refused'),
    tone: ({ task }) => (task ? toneOf(task) : 'bad'),
  },
  {
    title: 'EXIT',
    side: 'right',
    of: ({ task }) => task?.exitCode?.toString() ?? task?.signal ?? '',
  },
  {
    title: 'TIME',
    side: 'right',
    of: ({ task }) => (task?.usage ? spanText(task.usage.wallMs) : ''),
  },
  { title: 'ID', of: ({ task }) => task?.id ?? '', leaves: 1 },
  { title: 'WHY', of: ({ task, error }) => whyOf(task, error), columnsMin: 12 },
];

function whyOf(task: Task | undefined, error: Entry['error']): string {
  return error ? `${error.code}: ${error.detail}` : (task?.code ?? '');
}

function printSummary(entries: Entry[], others: number, paint: Paint): void {
  const lines = tableLines(entries, columns, widthOf(process.stdout), paint);
  const counts = new Map<string, number>();
  for (const { task } of entries) {
    const status = task ? statusOf(task) : 'refused';
    counts.set(status, (counts.get(status) ?? 0) + 1);
  }
  const parts = [...counts].map(([status, count]) => `${count} ${status}`);
  const skipped = others > 0 ? `; ${others} other files left out` : '';
  lines.push('', visible(`${entries.length} scripts: ${parts.join(', ')}${skipped}`));
  process.stdout.write(`${lines.join('\n')}\n`);
}
