import { ago, clock } from '../ui/format.js';
import { useNow } from './now.js';

/** How long ago it was, counting on by itself. @param at RFC 3339 */
export function Ago({ at }: { at: string }) {
  const nowMs = useNow();
  return (
    <time dateTime={at} title={clock(at)}>
      {ago(at, nowMs)}
    </time>
  );
}

/** How long it is until then, counting down; of what is past, how long ago it was. */
export function Ahead({ at }: { at: string }) {
  const nowMs = useNow();
  return (
    <time dateTime={at} title={clock(at)}>
      {Date.parse(at) > nowMs ? `in ${ahead(Date.parse(at) - nowMs)}` : ago(at, nowMs)}
    </time>
  );
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

function ahead(ms: number): string {
  if (ms < minuteMs) return `${Math.ceil(ms / 1_000)} s`;
  if (ms < hourMs) return `${Math.round(ms / minuteMs)} min`;
  if (ms < 2 * dayMs) return `${Math.round(ms / hourMs)} h`;
  return `${Math.round(ms / dayMs)} days`;
}

/** A time of a schedule, by the clock that the schedule goes by. */
export function zoned(at: string, timeZone: string): string {
  try {
    const text = new Date(at).toLocaleString('en-GB', {
      timeZone,
      weekday: 'short',
      day: 'numeric',
      month: 'short',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
    return `${text} ${timeZone}`;
  } catch (error) {
    // The service may know zones that this browser does not.
    if (error instanceof RangeError) return at;
    throw error;
  }
}
