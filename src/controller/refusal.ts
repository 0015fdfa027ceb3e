import { errorCode, errorMessage, ScriptdError } from '../errors.js';

/** Codes of `refused`. docs/ERRORS.md lists them, docs/PROTOCOL.md says what may answer what. */
export const refusalCodes = [
  'UNKNOWN_TYPE',
  'NO_ROUTE',
  'LIMIT_TOO_HIGH',
  'NETWORK_NOT_ALLOWED',
  'INVALID_FIELD',
  'UNKNOWN_TASK',
  'NOT_FINISHED',
  'NO_WEBHOOK',
  'WEBHOOK_NOT_ALLOWED',
  'IDEMPOTENCY_KEY_SPENT',
  'BAD_CURSOR',
  'UNKNOWN_SCHEDULE',
  'UNKNOWN_WORKER',
  'SCHEDULE_EXISTS',
  'TOO_MANY_SCHEDULES',
  'TOO_MANY_STREAMS',
  'OVERLOADED',
  'GROUP_OVERLOADED',
  'DRAINING',
  'STORE_FULL',
  'STORE_READ_ONLY',
  'STORE_TAKEN',
  'STORE_SLOW',
  'STORE_FAILED',
  'INTERNAL',
] as const;
export type RefusalCode = (typeof refusalCodes)[number];

/** Why something that was asked for is not done. */
export interface Refusal {
  code: RefusalCode;
  message: string;
  field?: string;
  /** When asking again may help. */
  retryAfterMs?: number;
}

/**
 * A thrown value as a refusal, with its `field` and `retryAfterMs` if it has them; undefined when
 * its code is none of the above, so that it is a fault of ours.
 */
export function asRefusal(error: unknown): Refusal | undefined {
  const code = refusalCodes.find((known) => known === errorCode(error));
  if (code === undefined) return undefined;
  const { field, retryAfterMs } = error as { field?: unknown; retryAfterMs?: unknown };
  return {
    code,
    message: errorMessage(error),
    ...(typeof field === 'string' && { field }),
    ...(typeof retryAfterMs === 'number' && { retryAfterMs }),
  };
}

/** Whether what was refused so may be taken later, as it is. */
export function mayPass(error: unknown): boolean {
  const refusal = asRefusal(error);
  return refusal?.retryAfterMs !== undefined || refusal?.code.startsWith('STORE_') === true;
}

/** A refusal that is to be thrown; `asRefusal` gives it back. */
export function thrown(refusal: Refusal): ScriptdError {
  return Object.assign(new ScriptdError(refusal.code, refusal.message), refusal);
}

export function unknownTask(taskId: string): ScriptdError {
  return new ScriptdError('UNKNOWN_TASK', `there is no task ${taskId} (any more)`);
}
