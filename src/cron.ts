import { Cron } from 'croner';
import { errorMessage } from './errors.js';

/**
 * When a schedule is due. Cron as croner reads it: five fields (minute, hour, day of month, month,
 * day of week) or six with seconds first; lists, ranges, steps, names, L, W and #; or a nickname
 * such as @daily. With both days given, either may fit. A time that the clocks of the zone skip
 * comes when they have skipped it, one that they repeat comes once.
 *
 * Source: https://croner.56k.guru/usage/pattern/
 */

/** What is wrong with a cron expression or its time zone, and with which of the two. */
export interface CronFault {
  field: 'cron' | 'timeZone';
  /** One sentence. */
  message: string;
}

const nicknames = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'];

/** Why a schedule can't have these; undefined when it can. */
export function cronFault(cron: string, timeZone: string): CronFault | undefined {
  if (!isTimeZone(timeZone)) {
    const message = `\`timeZone\` ${JSON.stringify(timeZone)} is not known: name one of the IANA database, e.g. UTC or Europe/Vienna`;
    return { field: 'timeZone', message };
  }
  const fields = cron.trim().split(/\s+/);
  // One that is written otherwise croner takes for a date.
  if (!nicknames.includes(cron) && fields.length !== 5 && fields.length !== 6) {
    const message =
      `\`cron\` has ${fields.length} fields: write five (minute, hour, day of month, month, day ` +
      `of week), six with seconds first, or one of ${nicknames.join(', ')}`;
    return { field: 'cron', message };
  }
  try {
    if (nextRunAt(cron, timeZone, Date.UTC(2000)) !== undefined) return undefined;
    return { field: 'cron', message: '`cron` never comes: no day of any year fits it' };
  } catch (error) {
    const said = errorMessage(error).replace(/^CronPattern: /, '');
    return { field: 'cron', message: `\`cron\` is not valid: ${said}` };
  }
}

/**
 * The first time after `afterMs` that fits, both in milliseconds since 1970-01-01 UTC; undefined
 * when none does. Throws for what `cronFault` refuses.
 */
export function nextRunAt(cron: string, timeZone: string, afterMs: number): number | undefined {
  return runTimes(cron, timeZone).after(afterMs);
}

/** When it is due, in milliseconds since 1970-01-01 UTC; undefined when there is no such time. */
export interface RunTimes {
  after(ms: number): number | undefined;
  /** The last one, `ms` included. */
  upTo(ms: number): number | undefined;
}

/**
 * For some looks in a row: it takes 80 KB, too much to be kept for each schedule. Throws, if not here
 * then in a look, for what `cronFault` refuses.
 */
export function runTimes(cron: string, timeZone: string): RunTimes {
  const job = new Cron(cron, { timezone: timeZone, mode: '5-or-6-parts', paused: true });
  return {
    after: (ms) => job.nextRun(new Date(ms))?.getTime(),
    // croner looks for one that is before.
    upTo: (ms) => job.previousRuns(1, new Date(ms + 1))[0]?.getTime(),
  };
}

function isTimeZone(name: string): boolean {
  // Offsets such as +01:00 are known only to some versions of Node.
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
