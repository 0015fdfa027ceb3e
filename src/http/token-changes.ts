import { ScriptdError } from '../errors.js';
import { editTokenFile } from './token-edit.js';
import type { TokenLine } from './token-file.js';
import type { TokenRecord } from './token-record.js';
import { makeToken, makeTokenId, tokenDigest } from './token-text.js';

/** Changes of a file of tokens, by a command or by the service itself. */

/** A token as it is shown: without its digest. */
export type ShownToken = Omit<TokenRecord, 'sha256'>;

/** What a new token is to be. */
export type AskedToken = Omit<ShownToken, 'id' | 'createdAt'>;

/**
 * A new token, and what the file is to keep of it; `recordFault` says whether that may be.
 *
 * @param nowMs milliseconds since 1970-01-01 UTC
 */
export function newToken(asked: AskedToken, nowMs: number): { token: string; record: TokenRecord } {
  const { name, scopes, group, rate, expiresAt } = asked;
  const token = makeToken();
  const record = {
    id: makeTokenId(),
    name,
    scopes,
    ...(group !== undefined && { group }),
    ...(rate !== undefined && { rate }),
    createdAt: new Date(nowMs).toISOString(),
    ...(expiresAt !== undefined && { expiresAt }),
    sha256: tokenDigest(token),
  };
  return { token, record };
}

/** Looks at what the file has now, when nobody else can change it; what it throws changes nothing. */
export type Permit = (lines: readonly TokenLine[]) => void;
const always: Permit = () => undefined;

/** @throws ScriptdError TOKEN_EXISTS, and what `permit` and `editTokenFile` throw */
export function addToken(
  path: string,
  record: TokenRecord,
  permit: Permit = always,
): Promise<TokenLine[]> {
  return editTokenFile(path, (lines) => {
    permit(lines);
    if (recordsOf(lines).some(({ name }) => name === record.name)) {
      const text = `there is a token with the name ${record.name} already: choose another`;
      throw new ScriptdError('TOKEN_EXISTS', text);
    }
    return [...lines.map(({ text }) => text), JSON.stringify(record)];
  });
}

/**
 * @param find among those that there are
 * @param which for people, where there is none
 * @throws ScriptdError UNKNOWN_TOKEN, and what `permit` and `editTokenFile` throw
 */
export async function removeToken(
  path: string,
  find: (records: readonly TokenRecord[]) => TokenRecord | undefined,
  which: string,
  permit: Permit = always,
): Promise<{ removed: TokenRecord; lines: TokenLine[] }> {
  let removed: TokenRecord | undefined;
  const lines = await editTokenFile(path, (lines) => {
    permit(lines);
    removed = find(recordsOf(lines));
    if (!removed) {
      const cure = 'scriptd token list shows those that there are';
      throw new ScriptdError('UNKNOWN_TOKEN', `${path} has no token ${which}; ${cure}`);
    }
    const { id } = removed;
    return lines.flatMap((line) =>
      line.kind === 'record' && line.record.id === id ? [] : [line.text],
    );
  });
  return { removed: removed as TokenRecord, lines };
}

export function recordsOf(lines: readonly TokenLine[]): TokenRecord[] {
  return lines.flatMap((line) => (line.kind === 'record' ? [line.record] : []));
}

/** How many stand in plain text, with every right. */
export function plainCount(lines: readonly TokenLine[]): number {
  return lines.filter(({ kind }) => kind === 'plain').length;
}

export function shown({ sha256: _sha256, ...rest }: TokenRecord): ShownToken {
  return rest;
}
