import type { Command } from 'commander';
import { eachTask } from './each-task.js';
import { addServiceOptions, clientFor, type ServiceOptions } from './service-client.js';

interface Options extends ServiceOptions {
  json?: true;
}

export function addRetryCommand(program: Command): void {
  const command = program
    .command('retry <id...>')
    .description('sends finished tasks again, dead letters or not')
    .option('--json', 'print a line of JSON for each task');
  addServiceOptions(command).action(async (ids: string[]) => {
    const options = command.opts<Options>();
    const client = clientFor(options);
    await eachTask(ids, async (id) => {
      const task = await client.retry(id);
      return options.json ? JSON.stringify(task) : `${task.id} ${task.state}`;
    });
  });
}
