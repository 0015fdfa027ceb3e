import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { Scriptd, type ScriptdOptions } from '../client/index.js';
import { errorCode, errorMessage, ScriptdError } from '../errors.js';

export interface ServiceOptions {
  url?: string;
  tokenFile?: string;
}

/** A service that is not there is told of after a second or so. */
const firstRetries = 3;
/** 128 and SIGPIPE: what a shell shows of a program whose reader left. */
export const readerLeft = 141;

/** Adds what names the service. */
export function addServiceOptions(command: Command): Command {
  return command
    .option('--url <url>', 'of the service (http://127.0.0.1:5000) [SCRIPTD_URL]')
    .option(
      '--token-file <file>',
      'the first token in it is shown to the service; SCRIPTD_TOKEN holds one itself [SCRIPTD_TOKEN_FILE]',
    )
    .hook('preAction', () => {
      process.stdout.once('error', (error) => {
        if (errorCode(error) === 'EPIPE') process.exit(readerLeft);
        throw error;
      });
    });
}

/**
 * The service that a command speaks to: its options over the environment.
 *
 * @throws ScriptdError BAD_URL, TOKENS_UNREADABLE
 */
export function clientFor(
  { url, tokenFile }: ServiceOptions,
  { retries = firstRetries, ...more }: Pick<ScriptdOptions, 'retries' | 'onRetry' | 'fetch'> = {},
  env = process.env,
): Scriptd {
  return new Scriptd({
    url: url ?? (env.SCRIPTD_URL || undefined),
    token: tokenOf(tokenFile, env),
    retries,
    ...more,
  });
}

function tokenOf(file: string | undefined, env: NodeJS.ProcessEnv): string | undefined {
  if (file !== undefined && file !== '') return firstToken(file);
  if (env.SCRIPTD_TOKEN) return env.SCRIPTD_TOKEN.trim();
  return env.SCRIPTD_TOKEN_FILE ? firstToken(env.SCRIPTD_TOKEN_FILE) : undefined;
}

function firstToken(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const message = `the tokens cannot be read from ${path}: ${errorMessage(cause)}`;
    throw new ScriptdError('TOKENS_UNREADABLE', message, { cause });
  }
  const lines = text.split('\n').map((line) => line.trim());
  const token = lines.find((line) => /^[^#{]/.test(line));
  if (token !== undefined) return token;
  const fault = `${path} holds no token that could be shown, digests at most`;
  throw new ScriptdError('TOKENS_INVALID', `${fault}: name a file with the token itself`);
}
