import { type Command, Option } from 'commander';
import { painter } from './paint.js';
import { queueColumns } from './queue-columns.js';
import { addServiceOptions, clientFor, type ServiceOptions } from './service-client.js';
import { sorted, tableLines, widthOf } from './table.js';

interface Options extends ServiceOptions {
  sort: string;
  reverse?: true;
  json?: true;
}

export function addQueuesCommand(program: Command): void {
  const titles = queueColumns.map(({ title }) => title.toLowerCase());
  const command = program
    .command('queues')
    .description('the tasks of each type in numbers')
    .addOption(new Option('--sort <column>', 'their order').choices(titles).default('type'))
    .option('--reverse', 'the other way round')
    .option('--json', 'print a line of JSON for each type');
  addServiceOptions(command).action(async () => {
    const options = command.opts<Options>();
    const column = queueColumns.find(({ title }) => title.toLowerCase() === options.sort);
    const found = await clientFor(options).queues();
    const queues = column ? sorted(found, column, options.reverse) : found;
    const lines = options.json
      ? queues.map((queue) => JSON.stringify(queue))
      : tableLines(queues, queueColumns, widthOf(process.stdout), painter(process.stdout));
    process.stdout.write(lines.map((line) => `${line}\n`).join(''));
  });
}
