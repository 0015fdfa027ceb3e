import type { Command } from 'commander';
import { addServiceOptions, clientFor, type ServiceOptions } from './service-client.js';

export function addRetryCommand(program: Command): void {
  const command = program
    .command('retry <id...>')
    .description('sends finished tasks again, dead letters or not');
  addServiceOptions(command).action(async (ids: string[]) => {
    const client = clientFor(command.opts<ServiceOptions>());
    for (const id of ids) {
      const task = await client.retry(id);
      process.stdout.write(`${task.id} ${task.state}\n`);
    }
  });
}
