import { ServiceError } from '../client/index.js';
import { errorExitCode, errorLine } from './service-errors.js';

/**
 * Does something with each of several tasks, and prints the line that it brings. A task that is refused
 * stops no other: that is said, and the exit code is the one of the first.
 *
 * @throws ScriptdError what is no refusal: the service cannot be asked
 */
export async function eachTask(
  ids: readonly string[],
  act: (id: string) => Promise<string>,
): Promise<void> {
  for (const id of ids) {
    try {
      process.stdout.write(`${await act(id)}\n`);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      process.stderr.write(errorLine(error, id));
      process.exitCode ??= errorExitCode(error);
    }
  }
}
