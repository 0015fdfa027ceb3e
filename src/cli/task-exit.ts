import { constants } from 'node:os';
import type { FinishedTask } from '../client/index.js';
import { exitCodes } from './exit-codes.js';

/** What a shell adds to the number of the signal that ended a program. */
const signalBase = 128;

/** For outcomes of which the script has no exit code. Source: sysexits(3), where it has one. */
const byOutcome = {
  success: exitCodes.done,
  runtime_error: exitCodes.failed,
  format_error: exitCodes.badOutput,
  network_fail: exitCodes.internal,
  internal_fail: exitCodes.internal,
  cancelled: signalBase + constants.signals.SIGINT,
  expired: exitCodes.tryAgain,
} as const;

/** The exit code of `scriptd submit`: that of the script, as far as it had one. */
export function taskExitCode({ outcome, exitCode, signal }: FinishedTask): number {
  if (outcome === 'cancelled' || outcome === 'format_error') return byOutcome[outcome];
  if (exitCode !== undefined) return exitCode;
  const number = signal && (constants.signals as Record<string, number>)[signal];
  return number ? signalBase + number : byOutcome[outcome];
}

/** What the script itself has not said: why it ended. */
export function verdictText({ outcome, code, reason }: FinishedTask): string | undefined {
  if (outcome === 'success' || code === 'EXIT_NONZERO' || code === 'EXCEPTION') return undefined;
  return `${reason ?? outcome}${code ? ` (${code})` : ''}`;
}
