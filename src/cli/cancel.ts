import type { Command } from 'commander';
import { addServiceOptions, clientFor, type ServiceOptions } from './service-client.js';

export function addCancelCommand(program: Command): void {
  const command = program
    .command('cancel <id...>')
    .description('ends tasks that are not finished, and waits until they are');
  addServiceOptions(command).action(async (ids: string[]) => {
    const client = clientFor(command.opts<ServiceOptions>());
    for (const id of ids) {
      const task = await client.cancel(id);
      process.stdout.write(`${task.id} ${task.outcome}\n`);
    }
  });
}
