import { type Logger, pino } from 'pino';
import { PinoPretty as pinoPretty } from 'pino-pretty';

export type Log = Logger;

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/**
 * The log of one part: to stderr, as JSON lines, or readable when stderr is a terminal. Written
 * synchronously, so that the last words of a part that dies are not lost. Every line says which
 * part speaks.
 *
 * @param part e.g. `controller`, `http`, `worker python-1`
 */
export function createLog(part: string, level: LogLevel): Log {
  const options = {
    level,
    base: { part, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  if (process.stderr.isTTY) {
    const pretty = pinoPretty({
      destination: 2,
      sync: true,
      colorize: true,
      singleLine: true,
      messageFormat: '[{part}] {msg}',
      ignore: 'part,pid,hostname,name',
      translateTime: 'SYS:HH:MM:ss.l',
    });
    return pino(options, pretty);
  }
  return pino(options, pino.destination({ dest: 2, sync: true }));
}
