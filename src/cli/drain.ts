import type { Command } from 'commander';
import { addServiceOptions, clientFor, type ServiceOptions } from './service-client.js';

interface Options extends ServiceOptions {
  json?: true;
}

export function addDrainCommand(program: Command): void {
  const command = program
    .command('drain <worker>')
    .description(
      'has a worker finish what it runs, within its drainMs, and end; another comes where one is wanted',
    )
    .option('--json', 'print the worker as JSON');
  addServiceOptions(command).action(async (id: string) => {
    const options = command.opts<Options>();
    const worker = await clientFor(options).drainWorker(id);
    const line = options.json ? JSON.stringify(worker) : `${id} drains: ${worker.busy} running`;
    process.stdout.write(`${line}\n`);
  });
}
