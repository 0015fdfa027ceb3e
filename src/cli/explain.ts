import type { Command } from 'commander';
import { addServiceOptions, clientFor, type ServiceOptions } from './service-client.js';
import { visible } from './visible.js';

export function addExplainCommand(program: Command): void {
  const command = program
    .command('explain <id>')
    .description('why a task is where it is')
    .option('--json', 'as JSON, with all that belongs to the reason');
  addServiceOptions(command).action(async (id: string) => {
    const options = command.opts<ServiceOptions & { json?: true }>();
    const explanation = await clientFor(options).explain(id);
    const { state, text } = explanation;
    const line = options.json ? JSON.stringify(explanation) : visible(`${state}: ${text}`);
    process.stdout.write(`${line}\n`);
  });
}
