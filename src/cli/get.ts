import type { Command } from 'commander';
import type { Task } from '../client/index.js';
import { bytesText } from './bytes-text.js';
import { columns, type Paint, painter, wrap } from './paint.js';
import { addServiceOptions, clientFor, type ServiceOptions } from './service-client.js';
import { spanText } from './span.js';
import { statusOf, toneOf } from './task-columns.js';
import { visible, visibleLines } from './visible.js';

/** Of each output; `scriptd logs` has all of it. */
const outputLines = 20;
const nameColumns = 12;

export function addGetCommand(program: Command): void {
  const command = program
    .command('get <id>')
    .description('a task as it stands: verdict, times, usage, the beginning of its output')
    .option('--wait', 'until it is finished')
    .option('--json', 'as JSON, whole');
  addServiceOptions(command).action(async (id: string) => {
    const options = command.opts<ServiceOptions & { wait?: true; json?: true }>();
    const client = clientFor(options);
    const task = await (options.wait ? client.wait(id) : client.get(id));
    const text = options.json
      ? `${JSON.stringify(task)}\n`
      : taskText(task, painter(process.stdout));
    process.stdout.write(text);
  });
}

function taskText(task: Task, paint: Paint): string {
  const { usage, timeline } = task;
  const entries: [string, string | undefined][] = [
    ['id', task.id],
    ['type', task.type],
    ['status', statusOf(task)],
    ['code', task.code],
    ['reason', task.reason],
    ['dead letter', task.deadLetter && 'its attempts are used up: scriptd retry sends it again'],
    ['exit code', task.exitCode?.toString()],
    ['signal', task.signal],
    ['group', task.group],
    ['tags', task.tags.length > 0 ? task.tags.join(', ') : undefined],
    ['attempt', task.attempt > 0 ? attemptText(task) : undefined],
    ['next attempt', task.nextAttemptAt],
    ['submitted', task.createdAt],
    ['not before', task.runAt],
    ['started', task.startedAt],
    ['finished', task.finishedAt],
    ['queued', timeline && spanText(timeline.queuedMs)],
    ['ran', usage && `${spanText(usage.wallMs)}, processor ${spanText(usage.cpuMs)}`],
    ['memory', usage && `${(usage.memoryPeakBytes / 2 ** 20).toFixed(1)} MiB at most`],
  ];
  const lines = entries.flatMap(([name, value]) =>
    value === undefined ? [] : entryLines(name, visible(value), task, paint),
  );
  for (const stream of ['stdout', 'stderr'] as const) {
    const text = task[stream];
    if (text) lines.push('', ...outputText(stream, text, task, paint));
  }
  return `${lines.join('\n')}\n`;
}

function attemptText({ attempt, worker }: Task): string {
  return worker === undefined ? `${attempt}` : `${attempt}, on ${worker}`;
}

function entryLines(name: string, value: string, task: Task, paint: Paint): string[] {
  const tone = name === 'status' ? toneOf(task) : undefined;
  return wrap(value, columns - nameColumns - 2).map((line, index) => {
    const head = index === 0 ? name : '';
    return `${paint('quiet', head.padEnd(nameColumns))}  ${tone ? paint(tone, line) : line}`;
  });
}

function outputText(stream: 'stdout' | 'stderr', text: string, task: Task, paint: Paint): string[] {
  const { shown, isText } = bytesText(text, task[`${stream}Encoding`]);
  const lines = visibleLines(shown).replace(/\n$/, '').split('\n');
  const more = lines.length - outputLines;
  return [
    paint('quiet', `${stream}${isText ? '' : ', not UTF-8'}`),
    ...lines.slice(0, outputLines),
    ...(more > 0 ? [paint('quiet', `… ${more} lines more: scriptd logs ${task.id}`)] : []),
  ];
}
