import { getSystemErrorMap } from 'node:util';
import { ScriptdError } from '../errors.js';

/**
 * A failed system call as a ScriptdError: its code is the errno's name.
 *
 * @param what what was being done, e.g. 'connect to unix:/run/x.sock'
 * @param errno positive
 */
export function systemError(what: string, syscall: string, errno: number): ScriptdError {
  const [code, meaning] = getSystemErrorMap().get(-errno) ?? [`ERRNO_${errno}`, 'unknown error'];
  return new ScriptdError(code, `${what}: ${meaning} (${syscall}, ${code})`, { syscall, errno });
}

/** The error for a call on something that is closed. */
export function closedError(what: string): ScriptdError {
  return new ScriptdError('CLOSED', `${what} is closed`);
}

/** Runs a native call; the {errno, syscall} that it throws becomes a ScriptdError. */
export function translated<T>(what: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (!isNativeError(error)) throw error;
    throw systemError(what, error.syscall, error.errno);
  }
}

function isNativeError(error: unknown): error is { errno: number; syscall: string } {
  return (
    error instanceof Error &&
    'errno' in error &&
    typeof error.errno === 'number' &&
    'syscall' in error &&
    typeof error.syscall === 'string'
  );
}
