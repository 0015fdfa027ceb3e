import { type Command, Option } from 'commander';
import type { Task, TaskFilter } from '../client/index.js';
import { ScriptdError } from '../errors.js';
import { taskStates } from '../task-words.js';
import { outcomes } from '../verdict.js';
import { painter } from './paint.js';
import { addServiceOptions, clientFor, type ServiceOptions } from './service-client.js';
import { sorted, tableLines, widthOf } from './table.js';
import { taskColumns } from './task-columns.js';

interface Options extends ServiceOptions, Omit<TaskFilter, 'deadLetter'> {
  deadLetter?: true;
  limit: string;
  sort?: string;
  reverse?: true;
  json?: true;
}

/** More are for programs, with --json. */
const limitMax = 1_000_000;

export function addListCommand(program: Command): void {
  const titles = taskColumns(0).map(({ title }) => title.toLowerCase());
  const command = program
    .command('list')
    .description('tasks, newest first')
    .addOption(new Option('--state <state>', 'where they are').choices(taskStates))
    .addOption(new Option('--outcome <outcome>', 'how they ended').choices(outcomes))
    .option('--type <type>', 'of this type')
    .option('--group <group>', 'of this group')
    .option('--tag <tag>', 'with this tag')
    .option('--text <text>', 'with this in its id, group, tags, worker, code, reason or script')
    .option('--dead-letter', 'whose attempts are used up by no doing of their own')
    .option('--limit <number>', 'at most so many', '50')
    .addOption(new Option('--sort <column>', 'order of those that are shown').choices(titles))
    .option('--reverse', 'the other way round')
    .option('--json', 'print a line of JSON for each task');
  addServiceOptions(command).action(() => list(command.opts<Options>()));
}

async function list(options: Options): Promise<void> {
  const { state, outcome, type, group, tag, deadLetter, text, json } = options;
  const limit = limitOf(options.limit);
  const filter = { state, outcome, type, group, tag, deadLetter, text };
  const order = orderOf(options);
  const tasks: Task[] = [];
  let count = 0;
  if (limit > 0) {
    for await (const task of clientFor(options).list(filter)) {
      // As they come, unless all must be there first.
      if (json && !order) await write(`${JSON.stringify(task)}\n`);
      else tasks.push(task);
      if (++count === limit) break;
    }
  }
  const ordered = order ? order(tasks) : tasks;
  if (json) {
    for (const task of ordered) await write(`${JSON.stringify(task)}\n`);
    return;
  }
  if (count === 0) process.stderr.write('no task fits\n');
  else process.stdout.write(`${tableOf(ordered).join('\n')}\n`);
}

function tableOf(tasks: Task[]): string[] {
  const width = widthOf(process.stdout);
  return tableLines(tasks, taskColumns(Date.now()), width, painter(process.stdout));
}

function orderOf({ sort, reverse }: Options): ((tasks: Task[]) => Task[]) | undefined {
  if (sort === undefined) return reverse && ((tasks) => tasks.reverse());
  const column = taskColumns(Date.now()).find(({ title }) => title.toLowerCase() === sort);
  return column && ((tasks) => sorted(tasks, column, reverse));
}

function limitOf(text: string): number {
  if (/^\d{1,7}$/.test(text) && Number(text) <= limitMax) return Number(text);
  throw new ScriptdError('BAD_OPTION', `--limit ${text}: it must be 0 to ${limitMax}`);
}

/** No faster than it is read. */
function write(text: string): Promise<void> | undefined {
  if (process.stdout.write(text)) return undefined;
  return new Promise((resolve) => process.stdout.once('drain', resolve));
}
