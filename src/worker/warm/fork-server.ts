import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import { ScriptdError } from '../../errors.js';
import type { Log } from '../../log.js';
import type { Poller } from '../../poll/poller.js';
import type { Socket } from '../../poll/socket.js';
import type { Enclosure } from '../enclosure.js';
import {
  type ForkRequest,
  forkReplyBytes,
  openForked,
  readForkReply,
  requestFork,
  startForkServer,
} from '../fork-request.js';
import { workerLimits } from '../limits.js';
import { reap, signalGroup, startError } from '../process-end.js';
import type { SpawnPlan, StartedProcess } from '../spawn-plan.js';
import { awaitUnwatched } from '../unwatched.js';

interface Asked {
  fds: ForkRequest;
  opened: (process: StartedProcess) => void;
  failed: (error: unknown) => void;
}

/**
 * An interpreter that has imported what scripts need, and from which each of them is forked, straight
 * into its enclosure (native/sandbox/serve). It runs no script itself. The forked processes are
 * children of this worker, so that its end harms none of them.
 *
 *     start ─▶ imports ─▶ ready ─▶ request ─▶ reply (pid), in the same order ─▶ … ─▶ retired or dead
 */
export class ForkServer {
  readonly #log: Log;
  readonly #pid: number;
  readonly #requestsFd: number;
  readonly #sockets: Socket[] = [];
  readonly #asked: Asked[] = [];
  readonly #gone: () => void;
  #reply = Buffer.alloc(0);
  #said = '';
  #ready = false;
  #ended = false;
  #killed = false;
  #served = 0;

  /**
   * @param gone called once when it has ended, whyever
   * @throws ScriptdError as `startProcess`
   */
  constructor(plan: SpawnPlan, poller: Poller, log: Log, gone: () => void) {
    this.#log = log;
    this.#gone = gone;
    const { pid, pidfd, stdin, stdout, stderr, requests } = startForkServer(plan);
    this.#pid = pid;
    this.#requestsFd = requests;
    const listen = (fd: number, onData: (chunk: Buffer) => void) => {
      this.#sockets.push(poller.adopt(fd, { onData }));
    };
    poller.watchProcess(pidfd, () => this.#exited());
    if (stdin !== undefined) listen(stdin, () => undefined);
    listen(stdout, () => {
      this.#ready = true;
    });
    listen(stderr, (chunk) => {
      this.#said = `${this.#said}${chunk}`.slice(-workerLimits.reportBytesMax);
    });
    listen(requests, (chunk) => this.#replied(chunk));
  }

  /** It has imported everything. */
  get ready(): boolean {
    return this.#ready && !this.#ended;
  }

  /** Processes forked. */
  get served(): number {
    return this.#served;
  }

  /** Forks a process into an enclosure. As `Open`. */
  open(
    { plan }: Enclosure,
    opened: (process: StartedProcess) => void,
    failed: (error: unknown) => void,
  ): void {
    let fds: ForkRequest;
    try {
      if (this.#ended) throw new ScriptdError('ECHILD', 'the fork server has ended');
      fds = requestFork(this.#requestsFd, plan);
    } catch (error) {
      failed(error);
      return;
    }
    this.#served += 1;
    this.#asked.push({ fds, opened, failed });
  }

  /** It forks what was asked for, and ends. */
  retire(): void {
    this.#sockets.at(-1)?.end();
  }

  kill(): void {
    if (this.#ended) return;
    this.#killed = true;
    signalGroup(this.#pid, constants.signals.SIGKILL);
  }

  #replied(chunk: Buffer): void {
    this.#reply = Buffer.concat([this.#reply, chunk]);
    while (this.#reply.length >= forkReplyBytes) {
      const reply = readForkReply(this.#reply.subarray(0, forkReplyBytes));
      this.#reply = this.#reply.subarray(forkReplyBytes);
      const asked = this.#asked.shift();
      if (!asked) {
        this.#log.error('the fork server answered what nobody asked');
        this.kill();
        return;
      }
      this.#settle(asked, reply);
    }
  }

  #settle({ fds, opened, failed }: Asked, reply: ReturnType<typeof readForkReply>): void {
    let process: StartedProcess;
    try {
      const onFault = (err: unknown) => this.#log.error({ err }, 'a forked process is not reaped');
      process = { ...fds, ...pidOf(reply, onFault) };
    } catch (error) {
      closeAll(fds);
      failed(error);
      return;
    }
    opened(process);
  }

  #exited(): void {
    this.#ended = true;
    const status = reap(this.#pid);
    const how = status?.signal ?? `exit code ${status?.exitCode}`;
    if (status?.exitCode !== 0 && !this.#killed) {
      this.#log.warn({ said: this.#said.trim() }, `the fork server has ended (${how})`);
    }
    for (const socket of this.#sockets) socket.close();
    for (const { fds, failed } of this.#asked.splice(0)) {
      closeAll(fds);
      failed(new ScriptdError('ECHILD', `the fork server has ended (${how})`));
    }
    this.#gone();
  }
}

/** @throws ScriptdError with the errno of what failed */
function pidOf(
  reply: ReturnType<typeof readForkReply>,
  onFault: (error: unknown) => void,
): { pid: number; pidfd: number } {
  if (!('pid' in reply)) {
    const { errno } = reply;
    throw startError('a forked process', { kind: 'failed', step: 'clone3', errno, detail: '' });
  }
  const { pid } = reply;
  try {
    return { pid, pidfd: openForked(pid) };
  } catch (error) {
    signalGroup(pid, constants.signals.SIGKILL);
    awaitUnwatched(pid, () => undefined, onFault);
    throw error;
  }
}

function closeAll({ stdin, stdout, stderr, status, control }: ForkRequest): void {
  for (const fd of [stdin, stdout, stderr, status, control]) if (fd !== undefined) closeSync(fd);
}
