import { readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { errorMessage, ScriptdError } from '../errors.js';
import type { Log } from '../log.js';
import { httpLimits } from './limits.js';
import { recordFault, type TokenRecord } from './token-record.js';
import { Tokens } from './tokens.js';

/** A line of the file. `plain`: a token as it is, with every right. `text` is the line as it stands. */
export type TokenLine =
  | { kind: 'record'; text: string; record: TokenRecord }
  | { kind: 'plain'; text: string; token: string }
  | { kind: 'nothing'; text: string };

/**
 * Reads a token file, with at least one token in it. A file that every user of the host may read is
 * only warned of, because Kubernetes and Docker mount secrets with such modes into containers where
 * no other user lives; so are tokens in plain text.
 *
 * @throws ScriptdError TOKENS_UNREADABLE, TOKENS_INVALID.
 */
export function readTokens(path: string, log: Log): Tokens {
  const { text, mode } = readWithMode(path);
  if (mode & 0o004) {
    log.warn({ path }, `every user of this host may read the tokens: chmod 600 ${path}`);
  }
  const lines = parseTokenFile(path, text);
  const plain = lines.filter(({ kind }) => kind === 'plain').length;
  if (plain > 0) {
    const cure = `scriptd token migrate --token-file ${path}`;
    log.warn({ path, plain }, `tokens stand in plain text; to keep only their digests: ${cure}`);
  }
  const tokens = new Tokens(entriesOf(lines));
  if (tokens.size === 0) throw invalid(path, 'it holds no token');
  return tokens;
}

/**
 * Has these tokens follow the file: what is revoked there is refused from the next look on. The
 * whole file is read each time: it is small, and dates of files miss changes. A file that cannot be
 * read, or is not valid, changes nothing but the log: half a line of an editor's ends no service.
 *
 * @returns stops it
 */
export function followTokenFile(path: string, tokens: Tokens, log: Log): () => void {
  let last: string | undefined;
  let stopped = false;
  const look = async () => {
    const { revision } = tokens;
    const found = await readFile(path, 'utf8').catch((error: unknown) => ({ error }));
    if (stopped) return;
    // It was changed here meanwhile: what was read may be older.
    if (tokens.revision !== revision) {
      timer = setTimeout(() => void look(), httpLimits.tokenFileMs).unref();
      return;
    }
    const text = typeof found === 'string' ? found : `unreadable: ${errorMessage(found.error)}`;
    if (text !== last) {
      try {
        if (typeof found !== 'string') throw unreadable(path, found.error);
        tokens.replace(entriesOf(parseTokenFile(path, found)));
        if (last !== undefined)
          log.info({ path, tokens: tokens.size }, 'the tokens were read again');
      } catch (error) {
        if (!(error instanceof ScriptdError)) throw error;
        log.error(
          { path, code: error.code },
          `the tokens from before stay valid, since the file changed and ${error.message}`,
        );
      }
      last = text;
    }
    timer = setTimeout(() => void look(), httpLimits.tokenFileMs).unref();
  };
  let timer = setTimeout(() => void look(), httpLimits.tokenFileMs).unref();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

/**
 * The lines of a token file: blank ones and those that begin with # say nothing, those that begin
 * with { are records, every other is a token.
 *
 * @throws ScriptdError TOKENS_INVALID: which line, and what is wrong with it.
 */
export function parseTokenFile(path: string, text: string): TokenLine[] {
  if (text.length > httpLimits.tokenFileCharactersMax) {
    throw invalid(path, `it is longer than ${httpLimits.tokenFileCharactersMax} characters`);
  }
  const seen = { id: new Set<string>(), name: new Set<string>() };
  const lines = text.replace(/\n$/, '').split('\n');
  return lines.map((text, index) => {
    const line = text.trim();
    const refuse = (fault: string) => invalid(path, `in line ${index + 1} ${fault}`);
    if (line === '' || line.startsWith('#')) return { kind: 'nothing', text };
    if (!line.startsWith('{')) {
      const fault = tokenFault(line);
      if (fault) throw refuse(`the token ${fault}`);
      return { kind: 'plain', text, token: line };
    }
    const record = readRecord(line, refuse);
    for (const key of ['id', 'name'] as const) {
      if (seen[key].has(record[key])) throw refuse(`the ${key} ${record[key]} is there twice`);
      seen[key].add(record[key]);
    }
    return { kind: 'record', text, record };
  });
}

/** @throws ScriptdError TOKENS_UNREADABLE. */
export function readTokenFile(path: string): string {
  return readWithMode(path).text;
}

/** What `Tokens` takes of them. */
export function entriesOf(lines: readonly TokenLine[]): (string | TokenRecord)[] {
  return lines.flatMap((line) => {
    if (line.kind === 'nothing') return [];
    return [line.kind === 'plain' ? line.token : line.record];
  });
}

function readRecord(line: string, refuse: (fault: string) => ScriptdError): TokenRecord {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    // Not its words: they quote the line.
    if (error instanceof SyntaxError) throw refuse('there is no valid JSON');
    throw error;
  }
  const fault = recordFault(value);
  if (fault) throw refuse(fault.message);
  return value as TokenRecord;
}

function readWithMode(path: string): { text: string; mode: number } {
  try {
    return { text: readFileSync(path, 'utf8'), mode: statSync(path).mode };
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function tokenFault(token: string): string | undefined {
  if (!/^[\x21-\x7e]*$/.test(token)) return 'has spaces or characters beyond ASCII';
  if (token.length < httpLimits.tokenCharactersMin) {
    return `is shorter than ${httpLimits.tokenCharactersMin} characters`;
  }
  return undefined;
}

function unreadable(path: string, cause: unknown): ScriptdError {
  const text = `the tokens cannot be read from ${path}: ${errorMessage(cause)}`;
  return new ScriptdError('TOKENS_UNREADABLE', text, { cause });
}

function invalid(path: string, fault: string): ScriptdError {
  const text = `the token file ${path} is not valid: ${fault}; scriptd token create makes tokens`;
  return new ScriptdError('TOKENS_INVALID', text);
}
