import { workerLimits } from './limits.js';
import { type ExitStatus, reap } from './process-end.js';

/**
 * Looks again and again for the end of a process that was killed and cannot be watched, for want of
 * a descriptor. `ended` is called once, with undefined when it is still there after all that.
 *
 * @param onFault told of a look that failed
 */
export function awaitUnwatched(
  pid: number,
  ended: (status: ExitStatus | undefined) => void,
  onFault: (error: unknown) => void,
  checksLeft: number = workerLimits.unwatchedChecksMax,
): void {
  setTimeout(() => {
    let status: ExitStatus | undefined;
    try {
      status = reap(pid);
    } catch (error) {
      onFault(error);
    }
    if (!status && checksLeft > 0) awaitUnwatched(pid, ended, onFault, checksLeft - 1);
    else ended(status);
  }, workerLimits.unwatchedCheckMs);
}
