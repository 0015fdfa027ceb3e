import { type Logger, pino } from 'pino';

/** A log whose lines a test looks at. */
export function linesLog(): { log: Logger; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => {
    lines.push(JSON.parse(line) as Record<string, unknown>);
  };
  return { log: pino({ level: 'debug' }, { write }), lines };
}
