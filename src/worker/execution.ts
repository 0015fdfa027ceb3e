import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import { errorMessage } from '../errors.js';
import { invariant } from '../invariant.js';
import { limits as maxima } from '../limits.js';
import type { Log } from '../log.js';
import type { Socket } from '../poll/socket.js';
import type { Result } from '../task.js';
import { Capture } from './capture.js';
import type { CgroupUsage } from './cgroup/cgroup.js';
import { type Collected, type CollectOrder, encodeCollectOrder } from './collect.js';
import { CpuCheck } from './cpu-check.js';
import type { Deadline } from './deadlines.js';
import type { Enclosure } from './enclosure.js';
import { environmentEntries, scriptEnvironment } from './environment.js';
import { type Remains, resultOf } from './evidence.js';
import type { ExecutionContext, ExecutionEvents } from './execution-context.js';
import { collectOrder, handedBack } from './handed-back.js';
import { workerLimits } from './limits.js';
import {
  type ExitStatus,
  reap,
  reapThreads,
  type StartStatus,
  signalGroup,
  startError,
} from './process-end.js';
import type { ExecuteMessage, Waiting } from './queue.js';
import { frameLimits } from './resource-limits.js';
import { scriptFiles } from './script-files.js';
import type { StartedProcess } from './spawn-plan.js';
import { startFailure } from './start-failure.js';
import { StatusChannel } from './status-channel.js';
import { encodeTaskFrame } from './task-frame.js';
import { type Cause, Termination } from './termination.js';
import { awaitUnwatched } from './unwatched.js';
import { startFailed, type Verdict } from './verdict.js';
import type { Prepared } from './warm/prepared.js';

/**
 * One run, from `execute` to its result:
 *
 *     begin ─▶ process that waits ─▶ task frame, wall limit ─▶ pidfd readable ─▶ group killed, reaped
 *                    ▲                    │                        ─▶ pipes drained, files collected
 *                    └── once, when a prepared process failed ◀┘     ─▶ verdict ─▶ onEnd
 *
 * Where the first process of a sandbox says that nothing else is left in it, that is the end; until
 * it has taken down the sandbox and is reaped takes a while more, for which no result waits unless too
 * many are at that.
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
  /** What its first process is asked for, or the worker itself. */
  readonly #order: CollectOrder | undefined;
  #stdout: Capture;
  #stderr: Capture;
  readonly #status = new StatusChannel();
  #enclosure: Enclosure | undefined;
  #cpuCheck: CpuCheck | undefined;
  #deadline: Deadline | undefined;
  /** Once it is killed. */
  #threadCheck: Deadline | undefined;
  #pid: number | undefined;
  #pipes: Socket[] = [];
  #startedAtMs = 0;
  /** Its process was there before the task, and may have been ill without anybody knowing. */
  #mayStartAgain = false;
  /** Its first process says how the script ended. */
  #tells = false;
  /** It was ended before it had its task, which it could not take. */
  #unfit = false;
  #announced = false;
  #ended = false;
  /** Its process was reaped, or cannot be. */
  #gone = false;
  /** Nothing else was left when it was said to be over. */
  #leaving = false;

  constructor(context: ExecutionContext, waiting: Waiting, events: ExecutionEvents) {
    this.#context = context;
    this.#task = waiting.task;
    this.#receivedAtMs = waiting.receivedAtMs;
    this.#events = events;
    const { taskId, attempt } = waiting.task;
    this.#log = context.log.child({ taskId, attempt });
    this.#order = collectOrder(waiting.task.collect, context.runtime.bootstrap !== undefined);
    this.#stdout = this.#capture();
    this.#stderr = this.#capture();
  }

  /** Starts the process; `onEnd` may come before this returns. */
  begin(): void {
    this.#start(() => this.#context.starter.take(this.#task));
  }

  /** Ends it from outside; the result still comes by `onEnd`. The first cause wins. */
  end(cause: Cause): void {
    this.#guarded(() => this.#kill(cause));
  }

  /** What is kept of the beginning of both outputs so far. Views: valid until more comes. */
  outputs(): Pick<Result, 'stdout' | 'stderr'> {
    return { stdout: this.#stdout.head, stderr: this.#stderr.head };
  }

  #start(take: () => Prepared): void {
    let prepared: Prepared;
    try {
      prepared = take();
    } catch (error) {
      this.#context.starter.ended();
      this.#finish(startFailure(error, this.#log));
      return;
    }
    const { enclosure, isWarm } = prepared;
    this.#enclosure = enclosure;
    prepared.take(
      (started) => {
        this.#mayStartAgain = isWarm;
        this.#tells = started.status !== undefined;
        this.#startedAtMs = this.#context.nowMs();
        this.#guarded(() => this.#attach(started, enclosure));
      },
      (error) => this.#notStarted(error, isWarm),
    );
  }

  #notStarted(error: unknown, wasWarm: boolean): void {
    this.#context.starter.ended();
    if (wasWarm && !this.#termination.cause) {
      this.#log.info({ err: error }, 'a prepared process failed; starting one');
      this.#startAgain();
    } else {
      this.#finish(startFailure(error, this.#log));
    }
  }

  /** As if nothing had been: by a process of its own. */
  #startAgain(): void {
    for (const pipe of this.#pipes) pipe.close();
    this.#leave();
    this.#pipes = [];
    this.#status.clear();
    this.#pid = undefined;
    this.#gone = false;
    this.#stdout = this.#capture();
    this.#stderr = this.#capture();
    this.#mayStartAgain = false;
    this.#unfit = false;
    this.#start(() => this.#context.starter.start(this.#task));
  }

  #capture(): Capture {
    return new Capture(this.#task.limits.outputBytes, maxima.outputTailBytes);
  }

  /** From here on its end is heard of and it is reaped, whatever else fails. */
  #attach(started: StartedProcess, enclosure: Enclosure): void {
    const { pid, pidfd, stdin, stdout, stderr, status, control } = started;
    this.#termination.attach(pid);
    this.#pid = pid;
    if (this.#termination.cause) this.#reapThreadsSoon();
    // The poller owns each of them from the moment that it is given it.
    const optional = [stdin, status, control].filter((fd) => fd !== undefined);
    const ours = new Set([pidfd, stdout, stderr, ...optional]);
    const give = (fd: number) => {
      ours.delete(fd);
      return fd;
    };
    try {
      this.#watch(pid, give(pidfd));
      this.#admit(pid, enclosure);
      // Before the task: of a script that ends at once, only an order that is there is carried out.
      if (status !== undefined) this.#readStatusFrom(give(status));
      if (control !== undefined) this.#handOver(give(control), enclosure);
      this.#readFrom('stdout', give(stdout));
      this.#readFrom('stderr', give(stderr));
      if (stdin !== undefined) this.#writeTo(give(stdin), 'stdin', this.#task.stdin);
    } finally {
      for (const fd of ours) closeSync(fd);
    }
    const endsAtMs = this.#startedAtMs + this.#task.limits.wallMs;
    this.#deadline = this.#context.deadlines.add(endsAtMs, () => this.end({ kind: 'wallLimit' }));
    if (enclosure.cpuMs) this.#cpuCheck = this.#checkCpu(enclosure.cpuMs);
    if (!this.#announced) this.#events.onStarted();
    this.#announced = true;
  }

  #admit(pid: number, enclosure: Enclosure): void {
    try {
      enclosure.admit(this.#task.limits);
    } catch (error) {
      if (!this.#mayStartAgain) throw error;
      // It has more than it may have now (EBUSY of cgroup v1); one of its own will do with less.
      this.#log.debug({ err: error }, 'a prepared process does not fit the task');
      this.#unfit = true;
      signalGroup(pid, constants.signals.SIGKILL);
    }
  }

  /** The task, to a process that waits for it. */
  #handOver(fd: number, enclosure: Enclosure): void {
    const { runtime } = this.#context;
    const { args = [], env, limits, inspect = false } = this.#task;
    const frame = encodeTaskFrame({
      inspect,
      argv: runtime.argv(args),
      env: environmentEntries(scriptEnvironment(runtime, enclosure.folders, env)),
      limits: frameLimits(enclosure.rlimits(limits)),
      files: scriptFiles(runtime, this.#task),
    });
    this.#writeTo(fd, 'task', frame);
  }

  /** What its init says of the script, and the files that it hands out. */
  #readStatusFrom(fd: number): void {
    const socket = this.#context.poller.adopt(fd, {
      onData: (chunk) => this.#status.push(chunk),
      onEnd: () => this.#guarded(() => this.#told()),
    });
    this.#pipes.push(socket);
    if (this.#order) socket.write(encodeCollectOrder(this.#order));
  }

  #checkCpu(spentMs: () => number): CpuCheck {
    const { deadlines, nowMs } = this.#context;
    return new CpuCheck({
      ...{ spentMs, deadlines, nowMs, limitMs: this.#task.limits.cpuMs },
      onExceeded: () => this.end({ kind: 'cpuLimit' }),
      onFault: (error) => this.#fault(error),
    });
  }

  #watch(pid: number, pidfd: number): void {
    try {
      this.#context.poller.watchProcess(pidfd, () => this.#exited(pid));
    } catch (error) {
      this.#fault(error);
      const ended = (reaped: ExitStatus | undefined) => {
        this.#gone = true;
        this.#over({ reaped, exitedAtMs: this.#context.nowMs() });
      };
      awaitUnwatched(pid, ended, (fault) => this.#fault(fault));
      throw error;
    }
  }

  #readFrom(stream: 'stdout' | 'stderr', fd: number): void {
    const socket = this.#context.poller.adopt(fd, {
      onData: (chunk) =>
        this.#guarded(() => {
          const capture = stream === 'stdout' ? this.#stdout : this.#stderr;
          capture.push(chunk);
          if (capture.exceeded) this.#kill({ kind: 'outputLimit', stream });
          this.#events.onOutput?.();
        }),
      onClose: (error) => {
        if (error) this.#log.warn({ err: error, stream }, 'output not read to its end');
      },
    });
    this.#pipes.push(socket);
  }

  #writeTo(fd: number, what: 'stdin' | 'task', bytes: Uint8Array | undefined): void {
    const socket = this.#context.poller.adopt(fd, {
      onData: () => undefined,
      onClose: (error) => {
        // EPIPE: the script has closed its stdin, or is gone, which is its own affair.
        if (error && error.code !== 'EPIPE') this.#log.warn({ err: error }, `${what} not written`);
      },
    });
    this.#pipes.push(socket);
    if (bytes && bytes.length > 0) socket.write(bytes);
    socket.end();
  }

  /** All that the first process had to say was read. */
  #told(): void {
    if (this.#gone || this.#unfit || this.#termination.cause) return;
    if (!this.#enclosure?.usage || !this.#status.isDone) return;
    const exitedAtMs = this.#context.nowMs();
    this.#drain();
    // What came last may have been too much.
    if (this.#termination.cause || !this.#events.mayLeave?.()) return;
    this.#leaving = true;
    this.#deadline?.clear();
    this.#cpuCheck?.clear();
    this.#over({ reaped: undefined, exitedAtMs });
  }

  #exited(pid: number): void {
    const exitedAtMs = this.#context.nowMs();
    this.#gone = true;
    this.#threadCheck?.clear();
    let reaped: ExitStatus | undefined;
    this.#guarded(() => {
      this.#deadline?.clear();
      this.#cpuCheck?.clear();
      this.#termination.detach();
      reaped = reap(pid);
      invariant(reaped, `process ${pid} has ended and can be reaped`);
    });
    if (this.#ended) {
      this.#leave();
    } else {
      this.#drain();
      this.#over({ reaped, exitedAtMs });
    }
    if (this.#leaving) this.#events.onLeft?.();
  }

  /** What a process that got away still holds open is not waited for. */
  #drain(): void {
    for (const pipe of this.#pipes) {
      this.#guarded(() => pipe.readAvailable(workerLimits.pipeBytesMax));
    }
  }

  /** Its process has ended. */
  #over(end: { reaped: ExitStatus | undefined; exitedAtMs: number }): void {
    this.#context.starter.ended();
    const said = this.#status.said();
    // Without a first process that tells, nobody knows whether the script has begun: not twice then.
    const failed = this.#unfit || (this.#tells && said?.kind !== 'ended');
    if (failed && this.#mayStartAgain && !this.#termination.cause) {
      // Unless its memory limit ended all of it at once.
      const killed = this.#enclosure?.usage?.().oomKills ?? 0;
      if (killed === 0) {
        this.#log.info({ said }, 'a prepared process failed; starting one');
        this.#startAgain();
        return;
      }
    }
    const run = { startedAtMs: this.#startedAtMs, ...end };
    const verdict =
      said?.kind === 'failed'
        ? startFailed(errorMessage(startError(this.#context.runtime.file, said)))
        : undefined;
    const order = this.#order;
    const collect = this.#enclosure?.collect;
    if (collect && order && !this.#termination.cause) {
      collect(order).then(
        (collected) => this.#finish(verdict, run, said, collected),
        (error) => {
          this.#fault(error);
          this.#finish(verdict, run, said);
        },
      );
      return;
    }
    const collected = said ? this.#status.collected() : undefined;
    this.#finish(verdict, run, said, collected);
  }

  /** @param verdict given when there was no run to judge */
  #finish(
    verdict: Verdict | undefined,
    run?: Run,
    said?: StartStatus,
    collected?: Collected,
  ): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const pipe of this.#pipes) pipe.close();
    const group = this.#usage();
    if (this.#gone || !run) this.#leave();
    const remains = {
      runtime: this.#context.runtime,
      limits: this.#task.limits,
      receivedAtMs: this.#receivedAtMs,
      run,
      said,
      group,
      handedBack: collected ? handedBack(collected, this.#task.collect !== undefined) : {},
      stdout: this.#stdout,
      stderr: this.#stderr,
      cause: this.#termination.cause,
    };
    const nowMs = this.#context.nowMs();
    this.#events.onEnd(resultOf(remains, verdict, nowMs, (error) => this.#fault(error)));
  }

  #usage(): CgroupUsage | undefined {
    let usage: CgroupUsage | undefined;
    this.#guarded(() => {
      usage = this.#enclosure?.usage?.();
    });
    return usage;
  }

  #leave(): void {
    const enclosure = this.#enclosure;
    this.#enclosure = undefined;
    try {
      enclosure?.leave();
    } catch (error) {
      // The run is over: what it leaves to us is not its verdict.
      this.#log.error({ err: error }, 'what surrounded a run cannot be let go of');
    }
  }

  #kill(cause: Cause): void {
    this.#termination.end(cause);
    this.#reapThreadsSoon();
  }

  /** Until it has ended, see `reapThreads`. */
  #reapThreadsSoon(checksLeft: number = workerLimits.unwatchedChecksMax): void {
    const pid = this.#pid;
    if (pid === undefined || this.#gone || checksLeft === 0) return;
    const { deadlines, nowMs } = this.#context;
    this.#threadCheck?.clear();
    this.#threadCheck = deadlines.add(nowMs() + workerLimits.unwatchedCheckMs, () => {
      this.#guarded(() => reapThreads(pid));
      this.#reapThreadsSoon(checksLeft - 1);
    });
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
      this.#kill({ kind: 'fault', message: errorMessage(error) });
    } catch (killError) {
      this.#log.error({ err: killError }, 'the run cannot be killed');
    }
  }
}

/** A process that has ended. */
type Run = NonNullable<Remains['run']>;
