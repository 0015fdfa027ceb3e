import { ScriptdError } from '../errors.js';
import type { ProblemCode } from '../http/problem.js';
import type { Code } from '../verdict.js';

/** Why a service refused something. New ones may come; docs/ERRORS.md lists them. */
export type ServiceCode = ProblemCode | Code | (string & {});

/** The body of an answer that is no success. Source: RFC 9457 */
export interface Problem {
  status: number;
  code: ServiceCode;
  /** A sentence for people. */
  detail: string;
  /** The field or parameter that does not fit. */
  field?: string;
  [member: string]: unknown;
}

/** The service refused. Match on `code`; `message` says why, and what would help. */
export class ServiceError extends ScriptdError {
  declare readonly code: ServiceCode;
  /** Of the HTTP answer. */
  readonly status: number;
  /** What the service said. */
  readonly problem: Problem;
  /** When it wants to be asked again, in milliseconds from now; absent where it did not say. */
  readonly retryAfterMs: number | undefined;

  constructor(problem: Problem, retryAfterMs?: number) {
    super(problem.code, problem.detail);
    this.status = problem.status;
    this.problem = problem;
    this.retryAfterMs = retryAfterMs;
  }
}

/** What an answer says that is no success; also one of a proxy, which is no problem+json. */
export async function serviceErrorOf(
  response: Pick<Response, 'text' | 'status'> & { headers: Pick<Headers, 'get'> },
): Promise<ServiceError> {
  const text = await response.text();
  return new ServiceError(
    problemOf(text, response.status),
    retryAfterMs(response.headers.get('retry-after'), Date.now()),
  );
}

function problemOf(text: string, status: number): Problem {
  try {
    const problem = JSON.parse(text) as Partial<Problem> | null;
    if (typeof problem?.code === 'string' && typeof problem.detail === 'string') {
      return { ...problem, status } as Problem;
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  const shown = text.trim().slice(0, 200);
  const detail = `the answer was ${status}, and not one of scriptd${shown && `: ${shown}`}`;
  return { status, code: 'BAD_ANSWER', detail };
}

/** Source: RFC 9110, 10.2.3 */
export function retryAfterMs(value: string | null, nowMs: number): number | undefined {
  if (value === null) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1_000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}
