import fc from 'fast-check';
import t from 'tap';
import { cronFault, nextRunAt, runTimes } from '../src/cron.js';

const at = (text: string) => Date.parse(text);

t.test('cron expressions of five and six fields, and nicknames, are taken', async (t) => {
  for (const cron of [
    '* * * * *',
    '*/5 9-17 * * MON-FRI',
    '0 0 1,15 * *',
    '30 0 0 * * *',
    '0 0 L * *',
    '0 0 * * 5#2',
    '0 0 29 2 *',
    '@daily',
    '@hourly',
    '  0 3 * * *  ',
  ]) {
    t.equal(cronFault(cron, 'UTC'), undefined, cron);
  }
});

t.test('what is none says which field and why', async (t) => {
  const cases: [string, string, 'cron' | 'timeZone', RegExp][] = [
    ['', 'UTC', 'cron', /1 fields|five/],
    ['* * * *', 'UTC', 'cron', /4 fields: write five/],
    ['0 0 0 * * * 2026', 'UTC', 'cron', /7 fields/],
    ['2027-01-01T00:00:00', 'UTC', 'cron', /1 fields/],
    ['@reboot', 'UTC', 'cron', /1 fields/],
    ['61 * * * *', 'UTC', 'cron', /minute: 61/],
    ['x * * * *', 'UTC', 'cron', /not valid/],
    ['0 0 31 2 *', 'UTC', 'cron', /never comes/],
    ['* * * * *', 'Mars/Olympus', 'timeZone', /Mars\/Olympus.*IANA/],
    ['* * * * *', '+01:00', 'timeZone', /IANA/],
    ['* * * * *', '', 'timeZone', /IANA/],
  ];
  for (const [cron, timeZone, field, message] of cases) {
    const fault = cronFault(cron, timeZone);
    t.equal(fault?.field, field, `${cron} in ${timeZone}`);
    t.match(fault?.message, message);
  }
});

t.test('runs follow the clock of the time zone over its changes', async (t) => {
  const runs = (cron: string, from: string, count: number) => {
    const found: string[] = [];
    let ms: number | undefined = at(from);
    while (found.length < count) {
      ms = nextRunAt(cron, 'Europe/Vienna', ms as number);
      found.push(new Date(ms as number).toISOString());
    }
    return found;
  };
  t.same(
    runs('30 2 * * *', '2026-03-28T00:00:00Z', 3),
    ['2026-03-28T01:30:00.000Z', '2026-03-29T01:00:00.000Z', '2026-03-30T00:30:00.000Z'],
    'half past two does not come on 29 March: it runs when the clocks are put forward',
  );
  t.same(
    runs('30 2 * * *', '2026-10-24T12:00:00Z', 2),
    ['2026-10-25T00:30:00.000Z', '2026-10-26T01:30:00.000Z'],
    'it comes twice on 25 October, and runs once',
  );
});

t.test('the next run is after the time that is asked about, and the first such', async () => {
  const minute = fc.integer({ min: 0, max: 59 });
  const hour = fc.integer({ min: 0, max: 23 });
  const afterMs = fc.integer({ min: 0, max: at('2090-01-01T00:00:00Z') });
  fc.assert(
    fc.property(minute, hour, afterMs, (minute, hour, afterMs) => {
      const next = nextRunAt(`${minute} ${hour} * * *`, 'UTC', afterMs) as number;
      const date = new Date(next);
      const fits = date.getUTCMinutes() === minute && date.getUTCHours() === hour;
      return fits && next % 60_000 === 0 && next > afterMs && next - afterMs <= 86_400_000;
    }),
  );
});

t.test('the last run up to a time is the one that none follows until then', async () => {
  const field = fc.constantFrom('*', '*/7', '0', '30', '59');
  const hour = fc.constantFrom('*', '1', '2', '3', '2-3');
  const zone = fc.constantFrom('UTC', 'Europe/Vienna', 'Australia/Lord_Howe');
  const ms = fc.integer({ min: at('2025-01-01T00:00:00Z'), max: at('2027-01-01T00:00:00Z') });
  fc.assert(
    fc.property(field, hour, zone, ms, (field, hour, zone, ms) => {
      const times = runTimes(`${field} ${hour} * * *`, zone);
      const last = times.upTo(ms) as number;
      const next = times.after(last) as number;
      return last <= ms && next > ms && times.after(last - 1) === last && times.upTo(last) === last;
    }),
    { seed: 1 },
  );
});

t.test('any text is taken or refused with a sentence', async () => {
  const part = fc.constantFrom('*', '1', '*/2', '99', 'MON', 'L', '1-5', '5-1', '?', '#', '-', 'é');
  const cron = fc.oneof(
    fc.string({ maxLength: 30 }),
    fc.array(part).map((all) => all.join(' ')),
  );
  fc.assert(
    fc.property(cron, fc.constantFrom('UTC', 'Asia/Tokyo', 'no zone'), (cron, timeZone) => {
      const fault = cronFault(cron, timeZone);
      if (fault) return fault.message.length > 10;
      return nextRunAt(cron, timeZone, at('2026-01-01T00:00:00Z')) !== undefined;
    }),
    { numRuns: 300 },
  );
});
