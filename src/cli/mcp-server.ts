import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import type { Scriptd } from '../client/index.js';
import { ScriptdError } from '../errors.js';
import { packageRoot } from '../native.js';
import { type McpTool, mcpTools } from './mcp-tools.js';
import { errorLine } from './service-errors.js';

/**
 * Answers an agent until its side closes. It has what the tools show and nothing else; every limit is
 * that of the service: what may not be asked of it may not be asked here.
 *
 * Source: https://modelcontextprotocol.io/specification
 */
export async function serveMcp(client: Scriptd): Promise<void> {
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
    version: string;
  };
  const tools = mcpTools(client);
  const server = new Server({ name: 'scriptd', version }, { capabilities: { tools: {} } });
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: tools.map(({ call: _, ...shown }) => shown),
  }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, { signal }) => {
    const tool = tools.find(({ name }) => name === params.name);
    if (!tool) {
      return failed(`there is no tool ${params.name}: ${tools.map(({ name }) => name).join(', ')}`);
    }
    try {
      const args = params.arguments ?? {};
      requireKnown(args, tool);
      return await tool.call(args, signal);
    } catch (error) {
      // For the agent to read, and to mend.
      return failed(errorLine(error).trim());
    }
  });
  const closed = new Promise<void>((resolve) => {
    server.onclose = resolve;
    process.stdin.once('end', () => void server.close());
  });
  await server.connect(new StdioServerTransport());
  await closed;
}

/**
 * A task may have more than a script of an agent: a webhook or the network would carry away what it
 * was given.
 *
 * @throws ScriptdError BAD_OPTION
 */
function requireKnown(args: object, { name, inputSchema }: McpTool): void {
  const known = Object.keys(inputSchema.properties);
  const unknown = Object.keys(args).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  const text = `${name} takes no \`${unknown.slice(0, 64)}\`, only: ${known.join(', ') || 'nothing'}`;
  throw new ScriptdError('BAD_OPTION', text);
}

function failed(text: string) {
  return { content: [{ type: 'text' as const, text }], isError: true };
}
