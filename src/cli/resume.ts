import type { Command } from 'commander';
import { addServiceOptions, clientFor, type ServiceOptions } from './service-client.js';

interface Options extends ServiceOptions {
  json?: true;
}

export function addResumeCommand(program: Command): void {
  const command = program
    .command('resume <type>')
    .description('hands out tasks of a paused type again')
    .option('--json', 'print the counts of the type as JSON');
  addServiceOptions(command).action(async (type: string) => {
    const options = command.opts<Options>();
    const queue = await clientFor(options).resume(type);
    const { ready, waiting, running } = queue;
    const counts = `${ready} ready, ${waiting} waiting, ${running} running`;
    const line = options.json ? JSON.stringify(queue) : `${type} resumed: ${counts}`;
    process.stdout.write(`${line}\n`);
  });
}
