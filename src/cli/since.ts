import { ScriptdError } from '../errors.js';

const units: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** How long `90m` or `7d` is, in milliseconds; undefined: it is no such text. */
export function spanMs(text: string): number | undefined {
  const [, count, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const unitMs = units[unit ?? ''];
  return unitMs === undefined ? undefined : Number(count) * unitMs;
}

/**
 * A time as people give it on a command line: RFC 3339, or so long ago, e.g. `90m` or `7d`.
 *
 * @returns milliseconds since 1970-01-01 UTC
 * @throws ScriptdError BAD_TIME
 */
export function sinceMs(text: string, nowMs: number): number {
  const span = spanMs(text);
  if (span !== undefined) return nowMs - span;
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(at)) return at;
  const message = `--since ${text} is no time: write 2030-01-31T12:00:00Z, or 30m, 24h, 7d`;
  throw new ScriptdError('BAD_TIME', message);
}
