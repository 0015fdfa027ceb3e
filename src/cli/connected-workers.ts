import { type Command, Option } from 'commander';
import type { WorkerInfo } from '../client/index.js';
import { painter } from './paint.js';
import { addServiceOptions, clientFor, type ServiceOptions } from './service-client.js';
import { type Column, sorted, tableLines, widthOf } from './table.js';

interface Options extends ServiceOptions {
  sort: string;
  reverse?: true;
  json?: true;
}

const columns: readonly Column<WorkerInfo>[] = [
  { title: 'ID', of: ({ id }) => id, columnsMin: 8 },
  { title: 'TYPE', of: ({ type }) => type },
  { title: 'BUSY', side: 'right', of: ({ busy }) => `${busy}`, sortBy: ({ busy }) => busy },
  { title: 'SLOTS', side: 'right', of: ({ slots }) => `${slots}`, sortBy: ({ slots }) => slots },
  { title: 'STATE', of: ({ draining }) => (draining ? 'draining' : 'up') },
  { title: 'PID', side: 'right', of: ({ pid }) => `${pid ?? ''}`, sortBy: ({ pid }) => pid ?? 0 },
  { title: 'ISOLATION', of: ({ isolation }) => isolation?.level ?? '' },
  {
    title: 'LAYERS',
    ...{ of: ({ isolation }) => isolation?.layers.join(',') ?? '', leaves: 1, columnsMin: 10 },
  },
];

/** `scriptd workers`. */
export function addWorkersCommand(program: Command): void {
  const titles = columns.map(({ title }) => title.toLowerCase());
  const command = program
    .command('workers')
    .description('the workers that are connected, and how they keep scripts apart')
    .addOption(new Option('--sort <column>', 'their order').choices(titles).default('id'))
    .option('--reverse', 'the other way round')
    .option('--json', 'print a line of JSON for each worker');
  addServiceOptions(command).action(async () => {
    const options = command.opts<Options>();
    const column = columns.find(({ title }) => title.toLowerCase() === options.sort);
    const found = await clientFor(options).workers();
    const workers = column ? sorted(found, column, options.reverse) : found;
    const lines = options.json
      ? workers.map((worker) => JSON.stringify(worker))
      : tableLines(workers, columns, widthOf(process.stdout), painter(process.stdout));
    process.stdout.write(lines.map((line) => `${line}\n`).join(''));
  });
}
