import type { FastifyReply, FastifyRequest } from 'fastify';
import { Checker, needsProcess } from '../checker/checker.js';
import type { TaskSpec } from '../task.js';
import type { BodyRoom } from './body-room.js';
import { onClientGone } from './client-gone.js';
import { httpLimits } from './limits.js';
import { problem } from './problem.js';
import { Shares } from './shares.js';

/** Processes for the checks of submissions: compiling takes little, unless somebody means harm. */
const processes = 2;

/**
 * Finds out whether the checks of tasks are valid before anybody stores them. Tokens have their turns
 * one after the other, each may have only so many here, and what waits counts as a body on its way in.
 */
export class Checks {
  readonly #checker = new Checker(processes);
  readonly #room: BodyRoom;
  readonly #shares = new Shares({
    max: httpLimits.checksPerTokenMax,
    what: 'checks of tasks that are being tried',
    code: 'OVERLOADED',
  });
  #size = 0;

  constructor(room: BodyRoom) {
    this.#room = room;
  }

  /**
   * For who is still there to be told.
   *
   * @param prefix of the task's fields
   * @throws Problem INVALID_FIELD: the schema or the pattern of `check` is not valid; OVERLOADED;
   *   BAD_REQUEST: the client went away
   */
  async refuseUnfit(
    { check }: TaskSpec,
    request: FastifyRequest,
    reply: FastifyReply,
    prefix = '',
  ): Promise<void> {
    if (!check || !needsProcess(check)) return;
    if (this.#size >= httpLimits.checksMax) {
      const detail = `${this.#size} checks of tasks are being tried, as many as may be: try again later`;
      throw problem('OVERLOADED', detail);
    }
    const giveBack = this.#shares.take(request.caller);
    this.#size++;
    const abort = new AbortController();
    const reception = this.#room.open((why) => abort.abort(why));
    reception.hold(request.bodyBytes);
    const release = onClientGone(reply, () => {
      abort.abort(problem('BAD_REQUEST', 'the client went away before its check had been tried'));
    });
    try {
      const owner = request.caller?.id ?? '';
      const fault = await this.#checker.compile(check, { owner, signal: abort.signal });
      if (!fault) return;
      const message = fault.message.replace(fault.field, `${prefix}${fault.field}`);
      throw problem('INVALID_FIELD', message, { field: `${prefix}${fault.field}` });
    } finally {
      release();
      reception.close();
      this.#size--;
      giveBack();
    }
  }

  close(): void {
    this.#checker.close();
  }
}
