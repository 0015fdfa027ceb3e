import { invariant } from '../invariant.js';
import { checkPid } from './process-end.js';
import { checkedPlan, nativePlan, startPlain } from './sandbox.js';
import { addon, orThrow } from './sandbox-addon.js';
import type { SpawnPlan, StartedProcess } from './spawn-plan.js';

/**
 * Starts a process that calls `scriptd_serve(3)` of the shared library (native/sandbox/server/serve.h),
 * outside of any sandbox; the rest is as for `startProcess`. `requests` is our end of its socket, the
 * caller's and non-blocking: give it to `requestFork`, and what comes out, in pieces of
 * `forkReplyBytes`, to `readForkReply`. The server ends when it is closed.
 */
export function startForkServer(plan: SpawnPlan): StartedProcess & { requests: number } {
  invariant(plan.strict === undefined, 'a fork server is in no sandbox');
  const { control, ...started } = startPlain({ ...checkedPlan(plan), control: 'socket' });
  invariant(control !== undefined, 'a plan with a socket has one');
  return { ...started, requests: control };
}

/** A process that a fork server was asked for; all descriptors are the caller's. */
export interface ForkRequest {
  stdin: number | undefined;
  stdout: number;
  stderr: number;
  status: number;
  control: number;
}

/**
 * Asks a fork server for a process in the sandbox of `plan`, which has one. The server's own program
 * goes on in it, with the control pipe as descriptor 3; so argv and env of the plan are not used, and
 * what is to be done comes in a task frame. It becomes a child of this thread.
 *
 * @throws ScriptdError EAGAIN when the server has more requests than the socket holds, EPIPE when it
 * is gone, EMFILE.
 */
export function requestFork(requests: number, plan: SpawnPlan): ForkRequest {
  const { strict } = plan;
  invariant(strict !== undefined, 'what a fork server makes is in a sandbox');
  invariant(!strict.waits, 'a forked process reads its task frame itself');
  const native = nativePlan(strict, checkedPlan({ ...plan, control: true }));
  const { stdin, stdout, stderr, status, control } = orThrow(
    () => addon.requestFork(requests, native),
    () => 'the fork server cannot be asked for a process',
  );
  invariant(status !== undefined && control !== undefined, 'a forked process has both');
  return { stdin, stdout, stderr, status, control };
}

/** What a reply to a request takes. */
export const forkReplyBytes = 8;

/** One reply of a fork server; they come in the order of the requests. */
export function readForkReply(bytes: Uint8Array): { pid: number } | { errno: number } {
  invariant(bytes.length === forkReplyBytes, `a reply has ${forkReplyBytes} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [pid, errno] = [view.getInt32(0, true), view.getInt32(4, true)];
  return pid > 0 ? { pid } : { errno };
}

/**
 * A pidfd of a process that a fork server made for us: our child, whose number stays taken until
 * `reap`. The caller's.
 *
 * @throws ScriptdError EMFILE, ESRCH
 */
export function openForked(pid: number): number {
  checkPid(pid);
  return orThrow(
    () => addon.openProcess(pid),
    () => `process ${pid} cannot be watched`,
  );
}
