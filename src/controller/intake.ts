import { v7 as uuidv7 } from 'uuid';
import { limits as maxima } from '../limits.js';
import { route, score } from '../scheduler/evaluator.js';
import type { NewTask } from '../scheduler/scheduler.js';
import type { Durability, Submission } from '../store/port.js';
import type { Limits, LimitsAsked, TaskSpec } from '../task.js';

/** Why a task is not taken. docs/ERRORS.md lists the codes. */
export interface Refusal {
  code: 'UNKNOWN_TYPE' | 'NO_ROUTE' | 'DRAINING' | 'OVERLOADED' | 'INVALID_FIELD' | 'INTERNAL';
  message: string;
  field?: string;
}

export interface Accepted {
  submission: Submission;
  task: NewTask;
  /** What it holds while unfinished, in bytes. */
  bytes: number;
}

/** Turns what a caller asks for into a task, or says why not. */
export function intake(
  spec: TaskSpec,
  context: { types: readonly string[]; durability: Durability; wallMs: number; nowMs: number },
): Accepted | Refusal {
  const codeBytes = Buffer.byteLength(spec.code);
  if (codeBytes > maxima.codeBytesMax) {
    // The schema counts UTF-16 units; three times as many bytes would not fit into an `execute`.
    const message = `\`code\` has ${codeBytes} bytes; at most ${maxima.codeBytesMax} are allowed`;
    return { code: 'INVALID_FIELD', message, field: 'code' };
  }
  const handedBytes = argsAndEnvBytes(spec);
  if (handedBytes > maxima.argsAndEnvBytesMax) {
    const most = maxima.argsAndEnvBytesMax;
    const message = `\`args\` and \`env\` take ${handedBytes} bytes together; at most ${most} are allowed: use \`stdin\``;
    return { code: 'INVALID_FIELD', message, field: 'args' };
  }
  const routed = route(spec, context.types);
  if ('refusal' in routed) {
    const code = spec.type === undefined ? 'NO_ROUTE' : 'UNKNOWN_TYPE';
    return { code, message: routed.refusal, field: 'type' };
  }
  const id = uuidv7();
  const { type } = routed;
  const priority = spec.priority ?? 0;
  const createdAt = context.wallMs;
  const limits = withDefaults(spec.limits);
  const maxAttempts = spec.retry?.maxAttempts ?? maxima.attemptsDefault;
  return {
    bytes: codeBytes + (spec.stdin?.length ?? 0) + handedBytes,
    // The queue goes by the clock that does not jump: what is shown is not what orders.
    task: { id, type, priority, createdAt: context.nowMs, wallMs: limits.wallMs, maxAttempts },
    submission: {
      spec,
      view: {
        id,
        type,
        state: 'pending',
        priority,
        score: score({ priority, createdAt }, createdAt),
        ...(spec.group !== undefined && { group: spec.group }),
        tags: spec.tags ?? [],
        limits,
        network: spec.network ?? 'none',
        attempt: 0,
        attempts: [],
        createdAt,
        durability: context.durability,
      },
    },
  };
}

/** The limits that hold for a task that asks for these. */
export function withDefaults(asked: LimitsAsked = {}): Limits {
  return {
    wallMs: maxima.wallMsDefault,
    cpuMs: Math.max(maxima.cpuMsDefault, asked.wallMs ?? 0),
    outputBytes: maxima.outputBytesDefault,
    diskBytes: maxima.diskBytesDefault,
    openFiles: maxima.openFilesDefault,
    processes: maxima.processesDefault,
    ...asked,
  };
}

/** As execve(2) is handed them: each with its NUL. */
function argsAndEnvBytes(spec: TaskSpec): number {
  let bytes = 0;
  for (const arg of spec.args ?? []) bytes += Buffer.byteLength(arg) + 1;
  for (const [name, value] of Object.entries(spec.env ?? {})) {
    bytes += name.length + Buffer.byteLength(value) + 2;
  }
  return bytes;
}
