import type { Command } from 'commander';
import { addServiceOptions, clientFor, type ServiceOptions } from './service-client.js';

export function addMcpCommand(program: Command): void {
  const command = program
    .command('mcp')
    .description('lets an agent run scripts: a Model Context Protocol server on stdin and stdout');
  addServiceOptions(command).action(async () => {
    const { serveMcp } = await import('./mcp-server.js');
    await serveMcp(clientFor(command.opts<ServiceOptions>()));
  });
}
