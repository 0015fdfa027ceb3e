#!/usr/bin/env node
// Speaks as much of go-judge's HTTP as the bench does, without a sandbox: for tests on hosts without it.
import { spawnSync } from 'node:child_process';
import { createServer, type IncomingMessage } from 'node:http';

interface Body {
  cmd: { args: [string, ...string[]]; env: string[]; cpuLimit: number; procLimit: number }[];
}

const flag = process.argv.indexOf('-http-addr');
const [host, port] = (process.argv[flag + 1] ?? '').split(':');
const server = createServer(async (request, response) => {
  if (request.url === '/version') {
    response.end('{"buildVersion":"stand-in"}');
    return;
  }
  const { cmd } = JSON.parse(await textOf(request)) as Body;
  const results = cmd.map(({ args: [file, ...args] }) => {
    const { status, stdout } = spawnSync(file, args, { encoding: 'utf8' });
    const files = { stdout, stderr: '' };
    return { status: status === 0 ? 'Accepted' : 'Nonzero Exit Status', exitStatus: status, files };
  });
  response.end(JSON.stringify(results));
});
server.listen(Number(port), host);

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return text;
}
