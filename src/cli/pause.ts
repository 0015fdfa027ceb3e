import type { Command } from 'commander';
import { addServiceOptions, clientFor, type ServiceOptions } from './service-client.js';

export function addPauseCommand(program: Command): void {
  const command = program
    .command('pause <type>')
    .description('hands out no more tasks of a type; what has begun goes on');
  addServiceOptions(command).action(async (type: string) => {
    const { ready, waiting, running } = await clientFor(command.opts<ServiceOptions>()).pause(type);
    const counts = `${ready} ready, ${waiting} waiting, ${running} running`;
    process.stdout.write(`${type} paused: ${counts}\n`);
  });
}
