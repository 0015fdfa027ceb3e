import type { Command } from 'commander';
import { addServiceOptions, clientFor, type ServiceOptions } from './service-client.js';

export function addResumeCommand(program: Command): void {
  const command = program
    .command('resume <type>')
    .description('hands out tasks of a paused type again');
  addServiceOptions(command).action(async (type: string) => {
    const { ready, waiting, running } = await clientFor(command.opts<ServiceOptions>()).resume(
      type,
    );
    const counts = `${ready} ready, ${waiting} waiting, ${running} running`;
    process.stdout.write(`${type} resumed: ${counts}\n`);
  });
}
