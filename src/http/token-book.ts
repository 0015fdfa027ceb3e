import { type Clock, systemClock } from '../clock.js';
import { errorCode, errorMessage } from '../errors.js';
import { type Problem, problem } from './problem.js';
import { readTime } from './time-text.js';
import {
  type AskedToken,
  addToken,
  newToken,
  plainCount,
  recordsOf,
  removeToken,
  type ShownToken,
  shown,
} from './token-changes.js';
import { isEditable } from './token-edit.js';
import { entriesOf, parseTokenFile, readTokenFile, type TokenLine } from './token-file.js';
import { recordFault } from './token-record.js';
import type { Tokens } from './tokens.js';

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
   * @throws Problem INVALID_FIELD, TOKENS_UNWRITABLE
   * @throws ScriptdError TOKEN_EXISTS, TOKENS_BUSY, TOKENS_UNREADABLE, TOKENS_INVALID
   */
  async create(asked: AskedToken): Promise<ShownToken & { token: string }> {
    const nowMs = this.#clock.wallMs();
    const { token, record } = newToken(asked, nowMs);
    const fault = recordFault(record);
    if (fault) throw problem('INVALID_FIELD', fault.message, { field: fault.field });
    if (record.expiresAt !== undefined && readTime('expiresAt', record.expiresAt) <= nowMs) {
      const detail = `\`expiresAt\` ${record.expiresAt} has passed: give a later time`;
      throw problem('INVALID_FIELD', detail, { field: 'expiresAt' });
    }
    this.#take(await addToken(this.#path, record).catch((error) => this.#refuse(error)));
    return { ...shown(record), token };
  }

  /**
   * @throws Problem TOKENS_UNWRITABLE
   * @throws ScriptdError UNKNOWN_TOKEN, TOKENS_BUSY, TOKENS_UNREADABLE, TOKENS_INVALID
   */
  async revoke(id: string): Promise<ShownToken> {
    const find = removeToken(this.#path, (all) => all.find((record) => record.id === id), id);
    const { removed, lines } = await find.catch((error) => this.#refuse(error));
    this.#take(lines);
    return shown(removed);
  }

  #take(lines: readonly TokenLine[]): void {
    this.#tokens.replace(entriesOf(lines));
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
