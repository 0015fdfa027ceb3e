import { type Clock, systemClock } from '../clock.js';
import { errorCode, errorMessage } from '../errors.js';
import { requireStanding } from './auth.js';
import { type Problem, problem } from './problem.js';
import { requireRights } from './scopes.js';
import { readTime } from './time-text.js';
import {
  type AskedToken,
  addToken,
  newToken,
  type Permit,
  plainCount,
  recordsOf,
  removeToken,
  type ShownToken,
  shown,
} from './token-changes.js';
import { isEditable } from './token-edit.js';
import { entriesOf, parseTokenFile, readTokenFile, type TokenLine } from './token-file.js';
import { recordFault, type TokenRecord } from './token-record.js';
import { type Token, Tokens } from './tokens.js';

/**
 * The file of tokens, as its admins read and change it over HTTP. What is changed here holds here at
 * once; other daemons with the same file find it at their next look.
 */
export class TokenBook {
  readonly #path: string;
  readonly #tokens: Tokens;
  readonly #clock: Clock;

  constructor(path: string, tokens: Tokens, clock: Clock = systemClock) {
    this.#path = path;
    this.#tokens = tokens;
    this.#clock = clock;
  }

  /** @throws ScriptdError TOKENS_UNREADABLE, TOKENS_INVALID */
  async list(): Promise<{ tokens: ShownToken[]; plain: number; writable: boolean }> {
    const lines = parseTokenFile(this.#path, readTokenFile(this.#path));
    const writable = await isEditable(this.#path);
    return { tokens: recordsOf(lines).map(shown), plain: plainCount(lines), writable };
  }

  /**
   * @param caller who asks
   * @throws Problem INVALID_FIELD, TOKENS_UNWRITABLE, UNAUTHORIZED, INSUFFICIENT_SCOPE
   * @throws ScriptdError TOKEN_EXISTS, TOKENS_BUSY, TOKENS_UNREADABLE, TOKENS_INVALID
   */
  async create(
    asked: AskedToken,
    caller: Token | undefined,
  ): Promise<ShownToken & { token: string }> {
    const nowMs = this.#clock.wallMs();
    const { token, record } = newToken(asked, nowMs);
    const fault = recordFault(record);
    if (fault) throw problem('INVALID_FIELD', fault.message, { field: fault.field });
    if (record.expiresAt !== undefined && readTime('expiresAt', record.expiresAt) <= nowMs) {
      const detail = `\`expiresAt\` ${record.expiresAt} has passed: give a later time`;
      throw problem('INVALID_FIELD', detail, { field: 'expiresAt' });
    }
    const add = addToken(this.#path, record, this.#permitOf(caller));
    this.#take(await add.catch((error) => this.#refuse(error)));
    return { ...shown(record), token };
  }

  /**
   * @param caller who asks
   * @throws Problem TOKENS_UNWRITABLE, UNAUTHORIZED, INSUFFICIENT_SCOPE
   * @throws ScriptdError UNKNOWN_TOKEN, TOKENS_BUSY, TOKENS_UNREADABLE, TOKENS_INVALID
   */
  async revoke(id: string, caller: Token | undefined): Promise<ShownToken> {
    const find = (all: readonly TokenRecord[]) => all.find((record) => record.id === id);
    const remove = removeToken(this.#path, find, id, this.#permitOf(caller));
    const { removed, lines } = await remove.catch((error) => this.#refuse(error));
    this.#take(lines);
    return shown(removed);
  }

  #take(lines: readonly TokenLine[]): void {
    this.#tokens.replace(entriesOf(lines));
  }

  /**
   * Of whoever waited for another change: it may have taken his own right. Two admins who revoke each
   * other at once would leave none.
   */
  #permitOf(caller: Token | undefined): Permit {
    return (lines) => {
      if (!caller) return;
      const latest = new Tokens(entriesOf(lines)).latest(caller);
      requireRights(requireStanding(latest, caller, this.#clock.wallMs()), 'admin');
    };
  }

  /** With a cure for who only has the page before him. */
  #refuse(error: unknown): never {
    if (errorCode(error) !== 'TOKENS_UNWRITABLE') throw error;
    throw this.#unwritable(errorMessage(error));
  }

  #unwritable(fault: string): Problem {
    const cure = `on its host, scriptd token create --token-file ${this.#path} makes one`;
    return problem(
      'TOKENS_UNWRITABLE',
      `${fault}; ${cure}, and scriptd token revoke takes one out`,
    );
  }
}
