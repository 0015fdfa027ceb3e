import { errorCode, errorMessage } from '../errors.js';
import type { ProblemCode } from '../http/problem.js';
import { exitCodeFor, exitCodes } from './exit-codes.js';
import { visible } from './visible.js';

/** What whoever called a command can do about it. */
const cures: Readonly<Record<string, string>> = {
  SERVICE_UNREACHABLE: 'start one with `scriptd up`, or name another with --url or SCRIPTD_URL',
  UNAUTHORIZED: 'give a token with --token-file FILE or SCRIPTD_TOKEN',
  HOST_NOT_ALLOWED: 'reach it as 127.0.0.1, or start it with --allowed-hosts NAME',
};

/** Exit codes for what a service refuses. Source: sysexits(3) */
const refusals: Readonly<Partial<Record<ProblemCode, number>>> = {
  UNAUTHORIZED: exitCodes.notAllowed,
  INSUFFICIENT_SCOPE: exitCodes.notAllowed,
  GROUP_NOT_ALLOWED: exitCodes.notAllowed,
  OVERLOADED: exitCodes.tryAgain,
  GROUP_OVERLOADED: exitCodes.tryAgain,
  RATE_LIMITED: exitCodes.tryAgain,
  TOO_MANY_STREAMS: exitCodes.tryAgain,
  DRAINING: exitCodes.tryAgain,
  CONTROLLER_UNAVAILABLE: exitCodes.tryAgain,
  CONTROLLER_LOST: exitCodes.tryAgain,
};

/**
 * What a command says when it ends with this error: one line, with the cure.
 *
 * @param subject what it is about, where there are several
 */
export function errorLine(error: unknown, subject?: string): string {
  const code = errorCode(error);
  const cure = code === undefined ? undefined : cures[code];
  const about = subject === undefined ? '' : `${subject}: `;
  const text = `${errorMessage(error)}${cure ? `; ${cure}` : ''}${code ? ` (${code})` : ''}`;
  return `scriptd: ${visible(about + text)}\n`;
}

export function errorExitCode(error: unknown): number {
  const code = errorCode(error);
  return refusals[code as ProblemCode] ?? exitCodeFor(code);
}
