import { appendFileSync } from 'node:fs';
import type { FastifyRequest } from 'fastify';
import { pino } from 'pino';
import { type Clock, systemClock } from '../clock.js';
import { errorMessage, ScriptdError } from '../errors.js';
import type { Log } from '../log.js';
import { httpLimits } from './limits.js';
import type { Problem, ProblemCode } from './problem.js';
import { Bucket } from './rate.js';
import type { ShownToken } from './token-changes.js';

/** Problems that say: you may not. Others are mistakes, of which the log need not know. */
const refusals: readonly string[] = [
  'CROSS_SITE',
  'GROUP_NOT_ALLOWED',
  'HOST_NOT_ALLOWED',
  'INSUFFICIENT_SCOPE',
  'INVALID_HOST',
  'RATE_LIMITED',
  'UNAUTHORIZED',
] satisfies ProblemCode[];

/**
 * Writes down who was refused what, and who made or revoked which token: never a token, a query or a body. A flood becomes a trickle:
 * what is too much is counted, and the next line that is written says how many there were.
 */
export class Audit {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #bucket = new Bucket({
    perSecond: httpLimits.auditLinesPerSecond,
    burst: httpLimits.auditLinesBurst,
  });
  #unwritten = 0;

  constructor(log: Log, clock: Clock = systemClock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** Writes down what somebody did to a token. Not bounded: only admins can. */
  changed(request: FastifyRequest, how: 'created' | 'revoked', changed: ShownToken): void {
    const { id, name, scopes, group, expiresAt } = changed;
    this.#log.info(
      {
        remote: request.socket.remoteAddress,
        ...(request.caller && { token: request.caller.id }),
        changed: { id, name, scopes, group, expiresAt },
      },
      `token ${how}`,
    );
  }

  /** Writes a line if the answer is a refusal, and there have not been too many. */
  note(request: FastifyRequest, answer: Problem): void {
    if (!refusals.includes(answer.code)) return;
    if (this.#bucket.take(this.#clock.monotonicMs()) > 0) {
      this.#unwritten++;
      return;
    }
    const unwritten = this.#unwritten;
    this.#unwritten = 0;
    this.#log.warn(
      {
        remote: request.socket.remoteAddress,
        method: request.method,
        path: pathText(request.originalUrl),
        status: answer.status,
        code: answer.code,
        ...(request.caller && { token: request.caller.id }),
        ...(unwritten > 0 && { unwritten }),
      },
      'refused',
    );
  }
}

/**
 * A log of JSON lines in a file of its own, for its owner only. The file is opened for each line, so
 * that whoever rotates logs may move it away at any time.
 *
 * @param log is told when a line cannot be written
 * @throws ScriptdError AUDIT_UNWRITABLE.
 */
export function openAuditLog(path: string, log: Log): Log {
  const append = (text: string) => appendFileSync(path, text, { mode: 0o600 });
  try {
    append('');
  } catch (cause) {
    const text = `the audit log cannot be written to ${path}: ${errorMessage(cause)}`;
    throw new ScriptdError('AUDIT_UNWRITABLE', text, { cause });
  }
  const write = (line: string) => {
    try {
      append(line);
    } catch (error) {
      log.error({ path }, `a line of the audit log is lost: ${errorMessage(error)}`);
    }
  };
  return pino({ base: log.bindings(), timestamp: pino.stdTimeFunctions.isoTime }, { write });
}

/** The path without its query; what no log or terminal should be shown is written %XX. */
export function pathText(url: string): string {
  const path = url.slice(0, httpLimits.auditPathMax).split('?', 1)[0] ?? '';
  return path.replace(/[^\x21-\x7e]/g, (character) =>
    [...Buffer.from(character, 'latin1')]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join(''),
  );
}
