import type { Command } from 'commander';
import { addServiceOptions, clientFor, type ServiceOptions } from './service-client.js';

interface Options extends ServiceOptions {
  json?: true;
}

export function addPauseCommand(program: Command): void {
  const command = program
    .command('pause <type>')
    .description('hands out no more tasks of a type; what has begun goes on')
    .option('--json', 'print the counts of the type as JSON');
  addServiceOptions(command).action(async (type: string) => {
    const options = command.opts<Options>();
    const queue = await clientFor(options).pause(type);
    const { ready, waiting, running } = queue;
    const counts = `${ready} ready, ${waiting} waiting, ${running} running`;
    const line = options.json ? JSON.stringify(queue) : `${type} paused: ${counts}`;
    process.stdout.write(`${line}\n`);
  });
}
