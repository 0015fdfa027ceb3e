import { closeSync, readSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { sharedLibrary } from '../../src/native.js';
import {
  type ForkRequest,
  forkReplyBytes,
  openForked,
  readForkReply,
  requestFork,
  startForkServer,
} from '../../src/worker/fork-request.js';
import { readStatus } from '../../src/worker/process-end.js';
import type { StartedProcess, StrictPlan } from '../../src/worker/spawn-plan.js';
import { strictPlan } from './sandbox-plans.js';
import { drained, drainedBytes, ended, python, shell } from './sandbox-process.js';

/** The smallest fork server: what it makes executes the program that comes by the control pipe. */
export const serverProgram = `
import ctypes, os, sys
library = ctypes.PyDLL(sys.argv[1])
ctypes.pythonapi.PyOS_BeforeFork()
control = library.scriptd_serve(3)
if control < 0:
    ctypes.pythonapi.PyOS_AfterFork_Parent()
    sys.exit(0)
ctypes.pythonapi.PyOS_AfterFork_Child()
with open(control, 'rb') as stream:
    program = stream.read()
exec(compile(program, 'script.py', 'exec'))
`;

export type Server = StartedProcess & { requests: number };

export function startServer(file = python): Server {
  return startForkServer(shell('', { file, argv: [file, '-c', serverProgram, sharedLibrary()] }));
}

/** Ends a server that has been asked for nothing more. */
export async function finishServer({
  pid,
  pidfd,
  stdout,
  stderr,
  requests,
}: Server): Promise<string> {
  closeSync(requests);
  const said = await drained(stderr);
  closeSync(stdout);
  closeSync(pidfd);
  await ended(pid);
  return said;
}

export type Forked = ForkRequest & { pid: number };

/** The next one. */
export async function reply(requests: number): Promise<ReturnType<typeof readForkReply>> {
  const bytes = Buffer.alloc(forkReplyBytes);
  for (;;) {
    try {
      const size = readSync(requests, bytes);
      if (size !== bytes.length) throw new Error(`the server ended: ${size}`);
      return readForkReply(bytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      await sleep(1);
    }
  }
}

/** Asks for a process and waits for the reply. */
export async function fork(
  requests: number,
  overrides: Partial<StrictPlan> = {},
  limits = {},
): Promise<Forked> {
  const plan = shell('', { strict: { ...strictPlan, ...overrides }, limits });
  const request = requestFork(requests, plan);
  const answer = await reply(requests);
  if ('errno' in answer) throw new Error(`errno ${answer.errno}`);
  return { ...request, ...answer };
}

/** Has it execute a program, and waits for its end. */
export async function execute(
  { pid, stdin, stdout, stderr, status, control }: Forked,
  program: string,
) {
  const pidfd = openForked(pid);
  writeSync(control, program);
  closeSync(control);
  const all = await Promise.all([drained(stdout), drained(stderr), drainedBytes(status)]);
  if (stdin !== undefined) closeSync(stdin);
  closeSync(pidfd);
  await ended(pid);
  return { stdout: all[0], stderr: all[1], status: readStatus(all[2]) };
}
