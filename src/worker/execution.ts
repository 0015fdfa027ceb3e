import { closeSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { errorCode, errorMessage } from '../errors.js';
import { invariant } from '../invariant.js';
import { limits as maxima } from '../limits.js';
import type { Log } from '../log.js';
import type { Poller } from '../poll/poller.js';
import type { Socket } from '../poll/socket.js';
import type { Result } from '../task.js';
import { Capture } from './capture.js';
import type { CgroupUsage } from './cgroup/cgroup.js';
import type { Deadline, Deadlines } from './deadlines.js';
import type { Enclosure, Isolation } from './enclosure.js';
import { workerLimits } from './limits.js';
import type { ExecuteMessage, Waiting } from './queue.js';
import type { ProcessRuntime } from './runtimes/runtime.js';
import {
  type ExitStatus,
  readStatus,
  reap,
  type StartedProcess,
  signalGroup,
  startError,
  startProcess,
} from './sandbox.js';
import { memoryLimit } from './strict-isolation.js';
import { type Cause, Termination } from './termination.js';
import { internalFault, judge, type Raised, startFailed, type Verdict } from './verdict.js';

/** What all runs of one worker share. */
export interface ExecutionContext {
  runtime: ProcessRuntime;
  isolation: Isolation;
  poller: Poller;
  deadlines: Deadlines;
  /** Monotonic. */
  nowMs: () => number;
  log: Log;
}

export interface ExecutionEvents {
  /** The process runs. At most once. */
  onStarted(): void;
  /** Exactly once, the last call; nothing of the run is left but its directory's removal. */
  onEnd(result: Result): void;
}

/**
 * One run, from `execute` to its result:
 *
 *     begin ─▶ enclosure ─▶ process, pipes, wall limit ─▶ pidfd readable ─▶ group killed, reaped
 *                                                            ─▶ pipes drained ─▶ verdict ─▶ onEnd
 *
 * An error of ours anywhere in it ends this run with `internal_fail`, and no other.
 */
export class Execution {
  readonly #context: ExecutionContext;
  readonly #task: ExecuteMessage;
  readonly #receivedAtMs: number;
  readonly #events: ExecutionEvents;
  readonly #log: Log;
  readonly #termination = new Termination(signalGroup);
  readonly #stdout: Capture;
  readonly #stderr: Capture;
  readonly #status: Buffer[] = [];
  #enclosure: Enclosure | undefined;
  #cpuCheck: Deadline | undefined;
  #deadline: Deadline | undefined;
  #pipes: Socket[] = [];
  #startedAtMs = 0;
  #ended = false;

  constructor(context: ExecutionContext, waiting: Waiting, events: ExecutionEvents) {
    this.#context = context;
    this.#task = waiting.task;
    this.#receivedAtMs = waiting.receivedAtMs;
    this.#events = events;
    const { taskId, attempt, limits } = waiting.task;
    this.#log = context.log.child({ taskId, attempt });
    this.#stdout = new Capture(limits.outputBytes, maxima.outputTailBytes);
    this.#stderr = new Capture(limits.outputBytes, maxima.outputTailBytes);
  }

  /** Starts the process; `onEnd` may come before this returns. */
  begin(): void {
    const { runtime, isolation, nowMs } = this.#context;
    let started: StartedProcess;
    try {
      this.#enclosure = isolation.enclose(runtime, this.#task);
      started = startProcess(this.#enclosure.plan);
    } catch (error) {
      this.#finish(this.#startFailure(error));
      return;
    }
    this.#startedAtMs = nowMs();
    this.#guarded(() => this.#attach(started));
  }

  /** Ends it from outside; the result still comes by `onEnd`. The first cause wins. */
  end(cause: Cause): void {
    this.#guarded(() => this.#termination.end(cause));
  }

  /** From here on its end is heard of and it is reaped, whatever else fails. */
  #attach({ pid, pidfd, stdin, stdout, stderr, status }: StartedProcess): void {
    this.#termination.attach(pid);
    // The poller owns each of them from the moment that it is given it.
    const optional = [stdin, status].filter((fd) => fd !== undefined);
    const ours = new Set([pidfd, stdout, stderr, ...optional]);
    const give = (fd: number) => {
      ours.delete(fd);
      return fd;
    };
    try {
      this.#watch(pid, give(pidfd));
      this.#readFrom('stdout', give(stdout));
      this.#readFrom('stderr', give(stderr));
      if (stdin !== undefined) this.#writeTo(give(stdin));
      if (status !== undefined) this.#readStatusFrom(give(status));
    } finally {
      for (const fd of ours) closeSync(fd);
    }
    const endsAtMs = this.#startedAtMs + this.#task.limits.wallMs;
    this.#deadline = this.#context.deadlines.add(endsAtMs, () => this.end({ kind: 'wallLimit' }));
    this.#checkCpu();
    this.#events.onStarted();
  }

  /** What its init says of the script; a few bytes. */
  #readStatusFrom(fd: number): void {
    const socket = this.#context.poller.adopt(fd, {
      onData: (chunk) => this.#status.push(Buffer.from(chunk)),
    });
    this.#pipes.push(socket);
  }

  /**
   * Holds all its processes together to the limit on processor time: looks again when they could
   * have used the rest of it, on every processor at once.
   */
  #checkCpu(): void {
    const { deadlines, nowMs } = this.#context;
    const spentMs = this.#enclosure?.cpuMs?.();
    if (spentMs === undefined) return;
    const leftMs = this.#task.limits.cpuMs - spentMs;
    if (leftMs <= 0) {
      this.end({ kind: 'cpuLimit' });
      return;
    }
    const waitMs = Math.max(workerLimits.cpuCheckMs, leftMs / processors);
    this.#cpuCheck = deadlines.add(nowMs() + waitMs, () => this.#guarded(() => this.#checkCpu()));
  }

  #watch(pid: number, pidfd: number): void {
    try {
      this.#context.poller.watchProcess(pidfd, () => this.#exited(pid));
    } catch (error) {
      this.#fault(error);
      this.#awaitUnwatched(pid, workerLimits.unwatchedChecksMax);
      throw error;
    }
  }

  /** For a process that cannot be watched, and was killed for it. */
  #awaitUnwatched(pid: number, checksLeft: number): void {
    setTimeout(() => {
      let status: ExitStatus | undefined;
      this.#guarded(() => {
        status = reap(pid);
      });
      if (!status && checksLeft > 0) this.#awaitUnwatched(pid, checksLeft - 1);
      else this.#finish(undefined, { status, exitedAtMs: this.#context.nowMs() });
    }, workerLimits.unwatchedCheckMs);
  }

  #readFrom(stream: 'stdout' | 'stderr', fd: number): void {
    const capture = stream === 'stdout' ? this.#stdout : this.#stderr;
    const socket = this.#context.poller.adopt(fd, {
      onData: (chunk) =>
        this.#guarded(() => {
          capture.push(chunk);
          if (capture.exceeded) this.#termination.end({ kind: 'outputLimit', stream });
        }),
      onClose: (error) => {
        if (error) this.#log.warn({ err: error, stream }, 'output not read to its end');
      },
    });
    this.#pipes.push(socket);
  }

  #writeTo(fd: number): void {
    const socket = this.#context.poller.adopt(fd, {
      onData: () => undefined,
      onClose: (error) => {
        // EPIPE: the script has closed its stdin, or is gone, which is its own affair.
        if (error && error.code !== 'EPIPE') this.#log.warn({ err: error }, 'stdin not written');
      },
    });
    this.#pipes.push(socket);
    socket.write(this.#task.stdin as Uint8Array);
    socket.end();
  }

  #exited(pid: number): void {
    const exitedAtMs = this.#context.nowMs();
    let status: ExitStatus | undefined;
    this.#guarded(() => {
      this.#deadline?.clear();
      this.#cpuCheck?.clear();
      this.#termination.detach();
      status = reap(pid);
      invariant(status, `process ${pid} has ended and can be reaped`);
    });
    // What a process that got away still holds open is not waited for.
    for (const pipe of this.#pipes) {
      this.#guarded(() => pipe.readAvailable(workerLimits.pipeBytesMax));
    }
    this.#finish(undefined, { status, exitedAtMs });
  }

  /** @param verdict given when there was no run to judge */
  #finish(verdict: Verdict | undefined, run?: Run): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const pipe of this.#pipes) pipe.close();
    this.#events.onEnd(this.#result(verdict, run, this.#leave()));
  }

  #leave(): CgroupUsage | undefined {
    let usage: CgroupUsage | undefined;
    this.#guarded(() => {
      usage = this.#enclosure?.leave();
    });
    return usage;
  }

  #result(
    given: Verdict | undefined,
    run: Run | undefined,
    group: CgroupUsage | undefined,
  ): Result {
    const nowMs = this.#context.nowMs();
    const exitedAtMs = run?.exitedAtMs ?? nowMs;
    const startedAtMs = run ? this.#startedAtMs : nowMs;
    const startMs = startedAtMs - this.#receivedAtMs;
    const runMs = exitedAtMs - startedAtMs;
    const reaped = run?.status;
    const said = readStatus(Buffer.concat(this.#status));
    const status = said?.kind === 'ended' ? said : reaped;
    const cpuMs = group?.cpuMs ?? (reaped ? reaped.userMs + reaped.systemMs : 0);
    const memoryPeakBytes = group?.memoryPeakBytes ?? reaped?.memoryPeakBytes ?? 0;
    const stdout = this.#stdout.finish();
    const stderr = this.#stderr.finish();
    let verdict = given;
    if (said?.kind === 'failed') {
      verdict ??= startFailed(errorMessage(startError(this.#context.runtime.file, said)));
    }
    if (!verdict) {
      this.#guarded(() => {
        verdict = judge({
          cause: this.#termination.cause,
          exitCode: status?.exitCode,
          signal: status?.signal,
          raised: this.#raised(status, stderr.bytes),
          runMs,
          startMs,
          cpuMs,
          outputBytes: { stdout: this.#stdout.seenBytes, stderr: this.#stderr.seenBytes },
          limits: this.#task.limits,
          ...(group && { group: { ...group, memoryBytes: memoryLimit(this.#task.limits) } }),
        });
      });
    }
    return {
      ...(verdict ?? internalFault('its end could not be judged')),
      ...(status?.exitCode === undefined ? {} : { exitCode: status.exitCode }),
      ...(status?.signal === undefined ? {} : { signal: status.signal }),
      stdout: stdout.bytes,
      stderr: stderr.bytes,
      truncated: { stdout: stdout.truncated, stderr: stderr.truncated },
      ...(reaped && {
        usage: {
          wallMs: runMs,
          cpuMs,
          memoryPeakBytes,
          ...(group && { processesPeak: group.processesPeak }),
        },
      }),
      phases: { startMs, runMs, drainMs: nowMs - exitedAtMs },
    };
  }

  #raised(
    status: { exitCode?: number | undefined } | undefined,
    stderr: Buffer,
  ): Raised | undefined {
    const { runtime } = this.#context;
    if (!runtime.raised || status?.exitCode !== runtime.raisedExitCode) return undefined;
    return runtime.raised(stderr.subarray(-workerLimits.reportBytesMax).toString());
  }

  #startFailure(error: unknown): Verdict {
    // A fault of the world names its errno; anything else is one of ours.
    if (errorCode(error) === undefined) {
      this.#log.error({ err: error }, 'internal error in a run');
      return internalFault(errorMessage(error));
    }
    this.#log.warn({ err: error }, 'script not started');
    return startFailed(errorMessage(error));
  }

  #guarded(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#fault(error);
    }
  }

  /** An error of ours ends this run, and is told once here and in its result. */
  #fault(error: unknown): void {
    this.#log.error({ err: error }, 'internal error in a run');
    try {
      this.#termination.end({ kind: 'fault', message: errorMessage(error) });
    } catch (killError) {
      this.#log.error({ err: killError }, 'the run cannot be killed');
    }
  }
}

const processors = availableParallelism();

/** A process that has ended. */
interface Run {
  /** Undefined when it could not be reaped. */
  status: ExitStatus | undefined;
  exitedAtMs: number;
}
