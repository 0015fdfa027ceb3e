import { Checker } from '../checker/checker.js';
import type { TaskSpec } from '../task.js';
import { problem } from './problem.js';

/** Processes for the checks of submissions: compiling takes little, unless somebody means harm. */
const processes = 2;

/** Finds out whether the checks of tasks are valid before anybody stores them. */
export class Checks {
  readonly #checker = new Checker(processes);

  /** @throws Problem INVALID_FIELD: the schema or the pattern of `check` is not valid */
  async refuseUnfit({ check }: TaskSpec, prefix = ''): Promise<void> {
    if (!check) return;
    const fault = await this.#checker.compile(check);
    if (!fault) return;
    const message = fault.message.replace(fault.field, `${prefix}${fault.field}`);
    throw problem('INVALID_FIELD', message, { field: `${prefix}${fault.field}` });
  }

  close(): void {
    this.#checker.close();
  }
}
