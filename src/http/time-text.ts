import { problem } from './problem.js';

/**
 * A time as RFC 3339 writes it, with any offset, in milliseconds since 1970-01-01 UTC. Digits
 * beyond the third of a second's fraction are cut off. Times before 1970 and leap seconds are none
 * of ours.
 *
 * Source: RFC 3339, 5.6
 * @throws Problem INVALID_FIELD.
 */
export function readTime(field: string, text: unknown): number {
  const ms = typeof text === 'string' ? timeOf(text) : undefined;
  if (ms !== undefined) return ms;
  const detail = `\`${field}\` must be a time such as 2026-11-24T08:42:16.729Z (RFC 3339), from 1970 on`;
  throw problem('INVALID_FIELD', detail, { field });
}

/** As answers show a time: UTC, with milliseconds. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

const shape =
  /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))$/;

function timeOf(text: string): number | undefined {
  const parts = shape.exec(text);
  if (!parts) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts
    .slice(1, 7)
    .map(Number);
  const [fraction = '', sign, offsetHours = '0', offsetMinutes = '0'] = parts.slice(7);
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  if (Number(offsetHours) > 23 || Number(offsetMinutes) > 59) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  // A day that its month does not have is another month's.
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  const offset = (Number(offsetHours) * 60 + Number(offsetMinutes)) * (sign === '-' ? -1 : 1);
  const milliseconds = Number(fraction.slice(0, 3).padEnd(3, '0'));
  const ms = date.setUTCHours(hour, minute - offset, second, milliseconds);
  return ms >= 0 ? ms : undefined;
}
