import { constants } from 'node:os';
import { unreachable } from '../invariant.js';
import type { Limits } from '../task.js';
import type { Code, Outcome } from '../verdict.js';
import type { CgroupUsage } from './cgroup/cgroup.js';
import { workerLimits } from './limits.js';
import type { SpawnPlan } from './spawn-plan.js';
import type { CancelCause, Cause } from './termination.js';

/** An exception that nobody caught, as the interpreter reported it. */
export interface Raised {
  /** E.g. ZeroDivisionError. Absent when something without a type was thrown. */
  type?: string;
  message: string;
  /** Line of the script, from 1. */
  line?: number;
}

/** All that is known about how a run ended. */
export interface Evidence {
  /** Why the worker ended it, noted before it did; undefined when it ended by itself. */
  cause: Cause | undefined;
  /** Undefined when a signal ended it. */
  exitCode: number | undefined;
  signal: string | undefined;
  /** The interpreter's own report; only with an exit code that such a report comes with. */
  raised: Raised | undefined;
  runMs: number;
  /** From `execute` until the process was started. */
  startMs: number;
  /** Of the process and of the children that it waited for. */
  cpuMs: number;
  outputBytes: { stdout: number; stderr: number };
  limits: Limits;
  /** What its cgroup counted, and the memory that it was allowed; absent without a cgroup. */
  group?: CgroupUsage & { memoryBytes: number };
}

export interface Verdict {
  outcome: Outcome;
  code?: Code;
  /** One plain sentence or two: what was hit, the value reached, which option would let it pass. */
  reason?: string;
}

/** What evidence means. Pure. The cause that the worker noted comes before what the kernel says. */
export function judge(evidence: Evidence): Verdict {
  if (evidence.cause) return judgeCause(evidence.cause, evidence);
  if (evidence.group && evidence.group.oomKills > 0) return memoryLimit(evidence.group);
  const { group } = evidence;
  if (evidence.exitCode !== 0 && group && group.forksRefused > 0) return processLimit(evidence);
  if (evidence.signal !== undefined) return judgeSignal(evidence.signal, evidence);
  if (evidence.exitCode === 0) return { outcome: 'success' };
  if (evidence.raised) return judgeException(evidence.raised, evidence.limits);
  return judgeExitCode(evidence.exitCode ?? -1, evidence);
}

/** An attempt that never ran: a place in the queue is all that there was to take away. */
export function judgeQueued(by: CancelCause, waitedMs: number): Verdict {
  if (by === 'deadline') return tooBusy(waitedMs, 0);
  return cancelled(by, 'before it ran');
}

/** An attempt that was ended while its output was being checked: nothing of it ran any more. */
export function judgeInterrupted(cause: Cause): Verdict {
  switch (cause.kind) {
    case 'cancelled':
      if (cause.by !== 'deadline') return cancelled(cause.by, 'while its output was checked');
      return {
        outcome: 'internal_fail',
        code: 'WORKER_BUSY',
        reason: 'The output waited for its check when the controller gave the attempt up.',
      };
    case 'shutdown':
      return {
        outcome: 'network_fail',
        code: 'WORKER_LOST',
        reason: 'The worker was shut down while the output was checked.',
      };
    default:
      return internalFault(`its check was ended by ${cause.kind}`);
  }
}

function judgeCause(cause: Cause, evidence: Evidence): Verdict {
  switch (cause.kind) {
    case 'wallLimit':
      return wallLimit(evidence);
    case 'cpuLimit':
      return cpuLimit(evidence);
    case 'outputLimit': {
      const { outputBytes } = evidence.limits;
      return {
        outcome: 'runtime_error',
        code: 'OUTPUT_LIMIT',
        reason:
          `The script wrote ${evidence.outputBytes[cause.stream]} bytes to ${cause.stream} before ` +
          `it was ended; the limit is ${outputBytes} bytes (limits.outputBytes).`,
      };
    }
    case 'cancelled':
      if (cause.by !== 'deadline') return cancelled(cause.by, `after ${ms(evidence.runMs)}`);
      // The controller's clock runs from the dispatch on, so the script may have had less.
      if (evidence.runMs >= evidence.limits.wallMs) return wallLimit(evidence);
      return tooBusy(evidence.startMs, evidence.runMs);
    case 'shutdown':
      return {
        outcome: 'network_fail',
        code: 'WORKER_LOST',
        reason: `The worker was shut down while the script ran, after ${ms(evidence.runMs)}.`,
      };
    case 'fault':
      return internalFault(cause.message);
    default:
      return unreachable(cause);
  }
}

/** An error of ours. */
export function internalFault(message: string): Verdict {
  const reason = `The worker failed while it ran the script: ${brief(message)}.`;
  return { outcome: 'internal_fail', code: 'INTERNAL', reason };
}

/** There was nothing to run: `message` names the system call and its errno. */
export function startFailed(message: string): Verdict {
  const reason = `The script could not be started: ${brief(message)}.`;
  return { outcome: 'internal_fail', code: 'START_FAILED', reason };
}

function wallLimit({ runMs, limits }: Evidence): Verdict {
  return {
    outcome: 'runtime_error',
    code: 'WALL_LIMIT',
    reason: `The script ran for ${ms(runMs)}; its wall limit is ${limits.wallMs} ms (limits.wallMs).`,
  };
}

function memoryLimit({
  memoryPeakBytes,
  memoryBytes,
}: {
  memoryPeakBytes: number;
  memoryBytes: number;
}): Verdict {
  return {
    outcome: 'runtime_error',
    code: 'MEMORY_LIMIT',
    reason:
      `The script and its children used ${memoryPeakBytes} bytes of memory, files in /tmp and ` +
      `/work included; the limit is ${memoryBytes} bytes (limits.memoryBytes).`,
  };
}

function processLimit({ limits }: Evidence): Verdict {
  return {
    outcome: 'runtime_error',
    code: 'PROCESS_LIMIT',
    reason:
      `The script failed after it was refused more processes and threads than ` +
      `${limits.processes} at once (limits.processes).`,
  };
}

function tooBusy(waitedMs: number, runMs: number): Verdict {
  const ran = runMs > 0 ? `, and had run for ${ms(runMs)}` : '';
  return {
    outcome: 'internal_fail',
    code: 'WORKER_BUSY',
    reason:
      `The script waited ${ms(waitedMs)} in the worker to be started${ran} ` +
      'when the controller gave it up.',
  };
}

const cancelReasons = {
  caller: ['CANCELLED', 'The task was cancelled'],
  client_gone: ['CLIENT_GONE', 'The client that waited for it went away'],
  shutdown: ['SHUTDOWN', 'The service was shut down'],
  stale: ['CANCELLED', 'The attempt was given up for a newer one'],
} as const satisfies Record<Exclude<CancelCause, 'deadline'>, readonly [Code, string]>;

function cancelled(by: Exclude<CancelCause, 'deadline'>, when: string): Verdict {
  const [code, sentence] = cancelReasons[by];
  return { outcome: 'cancelled', code, reason: `${sentence} ${when}.` };
}

function judgeSignal(signal: string, evidence: Evidence): Verdict {
  const { diskBytes } = evidence.limits;
  if (cpuSpent(evidence, signal)) {
    return cpuLimit(evidence);
  }
  if (signal === 'SIGXFSZ') {
    return {
      outcome: 'runtime_error',
      code: 'DISK_LIMIT',
      reason: `The script wrote a file beyond its limit of ${diskBytes} bytes (limits.diskBytes).`,
    };
  }
  if (signal === 'SIGSYS') {
    return {
      outcome: 'runtime_error',
      code: 'SYSCALL_DENIED',
      reason:
        'The script was ended by SIGSYS, which the kernel sends for a system call that a filter ' +
        'denies: that of the sandbox ends programs for another architecture (32-bit, x32).',
    };
  }
  const whose = signal === 'SIGKILL' ? ', which the worker did not send' : '';
  return {
    outcome: 'runtime_error',
    code: 'SIGNALED',
    reason: `The script was ended by ${signal}${whose}.`,
  };
}

/**
 * The kernel counts towards the limit in ticks, each charged to whoever runs when it falls, and the
 * usage exactly. On a busy host the two drift apart by much: with SIGXCPU, which hardly anything
 * else sends, half the limit is evidence enough; the SIGKILL of the hard limit, a second later, has
 * other senders and asks for more.
 */
const cpuShareNeeded = { SIGXCPU: 0.5, SIGKILL: 0.9 } as const;

function cpuSpent({ cpuMs, limits }: Evidence, signal: string): boolean {
  if (signal !== 'SIGXCPU' && signal !== 'SIGKILL') return false;
  return cpuMs >= cpuShareNeeded[signal] * cpuSeconds(limits) * 1000;
}

/** The limits of each single process. */
export function processLimits(limits: Limits): SpawnPlan['limits'] {
  return {
    cpuSeconds: cpuSeconds(limits),
    fileSizeBytes: limits.diskBytes,
    openFiles: limits.openFiles,
    processes: limits.processes,
  };
}

/** RLIMIT_CPU counts whole seconds. */
export function cpuSeconds(limits: Limits): number {
  return Math.ceil(limits.cpuMs / 1000);
}

function cpuLimit({ cpuMs, limits }: Evidence): Verdict {
  const rounded = limits.cpuMs % 1000 === 0 ? '' : ', rounded up to whole seconds';
  return {
    outcome: 'runtime_error',
    code: 'CPU_LIMIT',
    reason:
      `The script used ${ms(cpuMs)} of processor time; ` +
      `its limit is ${limits.cpuMs} ms${rounded} (limits.cpuMs).`,
  };
}

function judgeException(raised: Raised, limits: Limits): Verdict {
  const { type, message, line } = raised;
  const what = brief([type, message].filter(Boolean).join(': ')) || 'an exception';
  const where = line === undefined ? '' : ` (line ${line})`;
  return {
    outcome: 'runtime_error',
    code: 'EXCEPTION',
    reason: `The script raised ${what}${where}.${limitBehind(raised, limits)}`,
  };
}

/** Limits that a script meets as an exception. */
function limitBehind({ type, message }: Raised, limits: Limits): string {
  if (type === 'MemoryError' && limits.memoryBytes !== undefined) {
    return ` Its address space is limited to ${limits.memoryBytes} bytes (limits.memoryBytes).`;
  }
  if (/\[Errno 27\]|EFBIG/.test(message)) {
    return ` Its files are limited to ${limits.diskBytes} bytes (limits.diskBytes).`;
  }
  return '';
}

function judgeExitCode(exitCode: number, evidence: Evidence): Verdict {
  const signal = shellSignals.get(exitCode);
  // A shell whose child ran into the limit: the child's time is in the sum.
  if (signal === 'SIGXCPU' && cpuSpent(evidence, signal)) return cpuLimit(evidence);
  const hint = signal ? ` (a shell says so when ${signal} ended its command)` : '';
  return {
    outcome: 'runtime_error',
    code: 'EXIT_NONZERO',
    reason: `The script ended with exit code ${exitCode}${hint}.`,
  };
}

/** Exit codes by which a shell passes on that a signal ended its last command. */
const shellSignals = new Map<number, string>(
  (
    [
      'SIGABRT',
      'SIGBUS',
      'SIGFPE',
      'SIGILL',
      'SIGKILL',
      'SIGSEGV',
      'SIGSYS',
      'SIGTERM',
      'SIGXCPU',
      'SIGXFSZ',
    ] as const
  ).map((name) => [128 + constants.signals[name], name]),
);

function ms(value: number): string {
  return `${Math.round(value)} ms`;
}

/**
 * One line of bounded length, without a full stop of its own. Cut before anything else: on a long
 * run of blanks the pattern takes time that grows with its square, and scripts write these texts.
 */
function brief(text: string): string {
  const { messageCharactersMax } = workerLimits;
  const whole = text.trim();
  const line = whole.slice(0, messageCharactersMax).replaceAll(/\s*\n\s*/g, ' ');
  return whole.length > messageCharactersMax ? `${line}…` : line.replace(/\.$/, '');
}
