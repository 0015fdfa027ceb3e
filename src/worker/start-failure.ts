import { errorCode, errorMessage } from '../errors.js';
import type { Log } from '../log.js';
import { internalFault, startFailed, type Verdict } from './verdict.js';

/** The verdict of a run whose process could not be started; says so in the log. */
export function startFailure(error: unknown, log: Log): Verdict {
  // A fault of the world names its errno; anything else is one of ours.
  if (errorCode(error) === undefined) {
    log.error({ err: error }, 'internal error in a run');
    return internalFault(errorMessage(error));
  }
  log.warn({ err: error }, 'script not started');
  return startFailed(errorMessage(error));
}
