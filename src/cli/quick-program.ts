import type { Command } from 'commander';
import { bareProgram } from './bare-program.js';

type Add = (program: Command) => void;

/** Commands that only ask a service: they need little of what a service is made of. */
const quickCommands = new Map<string, () => Promise<Add>>([
  ['submit', async () => (await import('./submit.js')).addSubmitCommand],
  ['get', async () => (await import('./get.js')).addGetCommand],
  ['list', async () => (await import('./list.js')).addListCommand],
  ['logs', async () => (await import('./logs.js')).addLogsCommand],
  ['cancel', async () => (await import('./cancel.js')).addCancelCommand],
  ['retry', async () => (await import('./retry.js')).addRetryCommand],
  ['explain', async () => (await import('./explain.js')).addExplainCommand],
  ['mcp', async () => (await import('./mcp.js')).addMcpCommand],
  ['top', async () => (await import('./top.js')).addTopCommand],
  ['bench', async () => (await import('./bench.js')).addBenchCommand],
  ['queues', async () => (await import('./queues.js')).addQueuesCommand],
  ['workers', async () => (await import('./connected-workers.js')).addWorkersCommand],
  ['pause', async () => (await import('./pause.js')).addPauseCommand],
  ['resume', async () => (await import('./resume.js')).addResumeCommand],
  ['drain', async () => (await import('./drain.js')).addDrainCommand],
]);

/** The program with what is asked for only, so that it starts in a third of the time; else undefined. */
export async function quickProgram(name: string | undefined): Promise<Command | undefined> {
  if (name === '-V' || name === '--version') return bareProgram();
  const add = await quickCommands.get(name ?? '')?.();
  if (!add) return undefined;
  const program = bareProgram();
  add(program);
  return program;
}
