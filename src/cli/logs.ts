import type { Command } from 'commander';
import { isFinished, type Scriptd } from '../client/index.js';
import { follow, writeAll } from './follow.js';
import { addServiceOptions, clientFor, type ServiceOptions } from './service-client.js';
import { taskExitCode, verdictText } from './task-exit.js';
import { visible, visibleLines } from './visible.js';

interface Options extends ServiceOptions {
  follow?: true;
  stdout?: true;
  stderr?: true;
  raw?: true;
}

type Stream = 'stdout' | 'stderr';

export function addLogsCommand(program: Command): void {
  const command = program
    .command('logs <id>')
    .description('what a task wrote: its stdout to stdout, its stderr to stderr')
    .option('-f, --follow', 'from its beginning to its end, as it comes; exits like the script')
    .option('--stdout', 'only its stdout')
    .option('--stderr', 'only its stderr')
    .option('--raw', 'on a terminal, too, as it is: it may hold what moves the cursor or worse');
  addServiceOptions(command).action(async (id: string) => {
    const options = command.opts<Options>();
    const client = clientFor(options);
    const task = options.follow ? undefined : await client.get(id);
    if (task && isFinished(task)) await print(client, id, options);
    else process.exitCode = await followed(client, id, options);
  });
}

async function print(client: Scriptd, id: string, options: Options): Promise<void> {
  const sinks = sinksFor(options);
  for (const stream of wanted(options)) await sinks[stream](await client.output(id, stream));
}

async function followed(client: Scriptd, id: string, options: Options): Promise<number> {
  const notice = (text: string) => process.stderr.write(`scriptd: ${visible(text)}\n`);
  const task = await follow(client, id, { ...sinksFor(options), notice });
  const verdict = verdictText(task);
  if (verdict !== undefined) notice(verdict);
  return taskExitCode(task);
}

function wanted({ stdout, stderr }: Options): Stream[] {
  if (stdout === stderr) return ['stdout', 'stderr'];
  return stdout ? ['stdout'] : ['stderr'];
}

function sinksFor(options: Options): Record<Stream, (bytes: Uint8Array) => Promise<void>> {
  const streams = wanted(options);
  const sink = (name: Stream) => {
    if (!streams.includes(name)) return async () => undefined;
    const stream = process[name];
    if (!stream.isTTY || options.raw) return (bytes: Uint8Array) => writeAll(stream, bytes);
    const decoder = new TextDecoder();
    return (bytes: Uint8Array) => {
      const text = visibleLines(decoder.decode(bytes, { stream: true }));
      return writeAll(stream, Buffer.from(text));
    };
  };
  return { stdout: sink('stdout'), stderr: sink('stderr') };
}
