import { v7 as uuidv7 } from 'uuid';
import { collectFault, filesFault, spaceOf } from '../file-names.js';
import { limits as maxima } from '../limits.js';
import type { Evaluator } from '../scheduler/own-evaluator.js';
import type { NewTask } from '../scheduler/scheduler.js';
import type { Durability, Submission } from '../store/port.js';
import type { Limits, Network, TaskSpec } from '../task.js';
import { type Webhook, type WebhookTarget, webhookFault } from '../webhook.js';
import type { Reach } from '../webhooks/reach.js';
import { packedBytes } from '../wire/packed-bytes.js';
import { excessOf, grantedLimits, type Policy } from './policy.js';
import type { Refusal } from './refusal.js';

export interface Accepted {
  submission: Submission;
  task: NewTask;
  /** What it holds while unfinished, in bytes. */
  bytes: number;
}

export interface IntakeContext {
  /** What each type gives and allows; its keys are the types that there are workers for. */
  policies: ReadonlyMap<string, Policy>;
  evaluator: Evaluator;
  durability: Durability;
  /** Where webhooks may lead; absent: nowhere. */
  reach?: Reach;
  wallMs: number;
  nowMs: number;
}

/** Turns what a caller asks for into a task, or says why not. */
export function intake(spec: TaskSpec, context: IntakeContext): Accepted | Refusal {
  const unfit = sizeRefusal(spec);
  if (unfit) return unfit;
  const priority = spec.priority ?? 0;
  const createdAt = context.wallMs;
  const { type: asked, code, group, tags = [], retry } = spec;
  const rated = {
    ...{ code, priority, tags, createdAt },
    ...(asked !== undefined && { type: asked }),
    ...(group !== undefined && { group }),
  };
  const routed = context.evaluator.route(rated, [...context.policies.keys()]);
  const policy = 'type' in routed ? context.policies.get(routed.type) : undefined;
  if ('refusal' in routed || !policy) {
    const refused = spec.type === undefined ? 'NO_ROUTE' : 'UNKNOWN_TYPE';
    const message = 'refusal' in routed ? routed.refusal : 'there are no workers for it';
    return { code: refused, message, field: 'type' };
  }
  const { type } = routed;
  const limits = limitsFor(spec, type, policy);
  if ('code' in limits) return limits;
  const network = networkFor(spec, type, policy);
  if (typeof network === 'object') return network;
  const cramped = spaceRefusal(spec, limits);
  if (cramped) return cramped;
  const times = timesOf(spec, createdAt);
  if ('code' in times) return times;
  const { runAt, expiresAt } = times;
  const target = spec.webhook && targetOf(spec.webhook, context.reach);
  if (target && 'code' in target) return target;
  const id = uuidv7();
  const score = context.evaluator.score(rated, createdAt);
  // The queue goes by the clock that does not jump: what is shown is not what orders.
  const onOurClock = (at: number) => context.nowMs + (at - createdAt);
  return {
    bytes: heldBytes(spec),
    task: {
      ...{ id, type, priority, score, group, retry },
      createdAt: context.nowMs,
      wallMs: limits.wallMs,
      ...(runAt !== undefined && { runAtMs: onOurClock(runAt) }),
      ...(expiresAt !== undefined && { expiresAtMs: onOurClock(expiresAt) }),
    },
    submission: {
      spec,
      view: {
        id,
        type,
        state: 'pending',
        priority,
        score,
        ...(group !== undefined && { group }),
        tags,
        limits,
        network,
        attempt: 0,
        attempts: [],
        createdAt,
        ...(runAt !== undefined && { runAt }),
        ...(expiresAt !== undefined && { expiresAt }),
        ...(target && { webhook: target }),
        durability: context.durability,
      },
    },
  };
}

/** What a task shows of its webhook. */
function targetOf(webhook: Webhook, reach: Reach | undefined): WebhookTarget | Refusal {
  const fault = webhookFault(webhook);
  if (fault) return { code: 'INVALID_FIELD', ...fault };
  const url = new URL(webhook.url);
  const message = reach ? reach.fault(url) : 'this controller tells no webhooks';
  if (message === undefined) return { origin: url.origin };
  return { code: 'WEBHOOK_NOT_ALLOWED', message, field: 'webhook.url' };
}

/** When it may begin, and until when it must have. Absent: at once, and at any time. */
function timesOf(
  { delayMs, runAt, expiresAfterMs }: TaskSpec,
  createdAt: number,
): { runAt?: number; expiresAt?: number } | Refusal {
  if (delayMs !== undefined && runAt !== undefined) {
    const message = '`delayMs` and `runAt` are both there: give one of them';
    return { code: 'INVALID_FIELD', message, field: 'runAt' };
  }
  const at = delayMs === undefined ? runAt : createdAt + delayMs;
  if (at !== undefined && at > createdAt + maxima.delayMsMax) {
    const message = '`runAt` is more than a year ahead: choose an earlier time';
    return { code: 'INVALID_FIELD', message, field: 'runAt' };
  }
  const later = at !== undefined && at > createdAt ? at : undefined;
  const expiresAt = expiresAfterMs === undefined ? undefined : createdAt + expiresAfterMs;
  if (later !== undefined && expiresAt !== undefined && expiresAt <= later) {
    const message = '`expiresAfterMs` passes before the task may begin: raise it';
    return { code: 'INVALID_FIELD', message, field: 'expiresAfterMs' };
  }
  return {
    ...(later !== undefined && { runAt: later }),
    ...(expiresAt !== undefined && { expiresAt }),
  };
}

/** What a schema can't say: sizes in bytes, and of several fields together. */
function sizeRefusal(spec: TaskSpec): Refusal | undefined {
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
  const checkBytes = packedBytes(spec.check);
  if (checkBytes > maxima.checkBytesMax) {
    const message = `\`check\` has ${checkBytes} bytes; at most ${maxima.checkBytesMax} are allowed`;
    return { code: 'INVALID_FIELD', message, field: 'check' };
  }
  const fault = filesFault(spec.files ?? []) ?? collectFault(spec.collect ?? []);
  return fault && { code: 'INVALID_FIELD', ...fault };
}

function limitsFor(spec: TaskSpec, type: string, policy: Policy): Limits | Refusal {
  const asked = spec.limits ?? {};
  const excess = excessOf(asked, policy);
  if (!excess) return grantedLimits(asked, policy);
  const field = `limits.${excess.name}`;
  const message =
    `\`${field}\` is ${excess.asked}; a task of type ${type} may ask for at most ${excess.most}: ` +
    `ask for less, or raise runtimes.${type}.limitsMax.${excess.name}`;
  return { code: 'LIMIT_TOO_HIGH', message, field };
}

function networkFor(spec: TaskSpec, type: string, { network }: Policy): Network | Refusal {
  const asked = spec.network ?? 'none';
  if (asked === 'allowed') return network;
  if (asked === 'none' || network === 'host') return asked;
  const message =
    `\`network\` is ${asked}, which tasks of type ${type} may not have: ` +
    `set runtimes.${type}.network: host, or leave it out`;
  return { code: 'NETWORK_NOT_ALLOWED', message, field: 'network' };
}

/** Files that its own limits leave no room for: no attempt could start. */
function spaceRefusal(spec: TaskSpec, limits: Limits): Refusal | undefined {
  const { files = [], code } = spec;
  if (files.length === 0) return undefined;
  const space = spaceOf(files, Buffer.byteLength(code));
  const short = (name: 'diskBytes' | 'files', what: string): Refusal => {
    const message =
      `\`files\`, their folders and the script take ${space[name === 'files' ? 'files' : 'bytes']} ` +
      `${what}, more than \`limits.${name}\` (${limits[name]}): raise it`;
    return { code: 'INVALID_FIELD', message, field: 'files' };
  };
  if (space.bytes > limits.diskBytes) return short('diskBytes', 'bytes in pages of 4096');
  if (space.files > (limits.files ?? maxima.filesDefault)) return short('files', 'places');
  return undefined;
}

function heldBytes(spec: TaskSpec): number {
  let bytes = Buffer.byteLength(spec.code) + (spec.stdin?.length ?? 0) + argsAndEnvBytes(spec);
  for (const { name, content } of spec.files ?? []) bytes += name.length + content.length;
  if (spec.check) bytes += packedBytes(spec.check);
  return bytes;
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
