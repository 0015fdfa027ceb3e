import fc from 'fast-check';
import t from 'tap';
import { readTime, timeText } from '../../src/http/time-text.js';

const read = (text: unknown) => readTime('runAt', text);

t.test('a time that is shown is read back the same', async () => {
  const latest = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
  fc.assert(fc.property(fc.integer({ min: 0, max: latest }), (ms) => read(timeText(ms)) === ms));
});

t.test('an offset is taken off', async () => {
  const ms = fc.integer({ min: 86_400_000, max: Date.UTC(9998, 0) });
  const offset = fc.integer({ min: -1439, max: 1439 });
  fc.assert(
    fc.property(ms, offset, (ms, offset) => {
      const local = timeText(ms + offset * 60_000).slice(0, -1);
      const pad = (value: number) => String(value).padStart(2, '0');
      const minutes = Math.abs(offset);
      const sign = offset < 0 ? '-' : '+';
      const zone = `${sign}${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}`;
      return read(`${local}${zone}`) === ms;
    }),
  );
});

t.test(
  'fractions of any length count to the millisecond, letters are of either case',
  async (t) => {
    t.equal(read('1970-01-01T00:00:01Z'), 1_000);
    t.equal(read('1970-01-01t00:00:01.5z'), 1_500);
    t.equal(read('1970-01-01T00:00:01.123456789Z'), 1_123);
    t.equal(read('2024-02-29T00:00:00Z'), Date.UTC(2024, 1, 29));
    t.equal(read('1970-01-01T00:00:00+00:00'), 0);
  },
);

t.test('what is no time is refused', async (t) => {
  for (const text of [
    '',
    '2026',
    '2026-11-24',
    '2026-11-24T08:42Z',
    '2026-11-24T08:42:16',
    '2026-11-24 08:42:16Z',
    '2026-02-29T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:60:00Z',
    '2026-01-01T00:00:60Z',
    '2026-01-01T00:00:00.Z',
    '2026-01-01T00:00:00+24:00',
    '2026-01-01T00:00:00+01',
    '1969-12-31T23:59:59Z',
    '0026-01-01T00:00:00Z',
    'Tue, 24 Nov 2026 08:42:16 GMT',
    '٢٠٢٦-01-01T00:00:00Z',
    1_700_000_000_000,
    null,
    {},
  ]) {
    t.throws(() => read(text), { code: 'INVALID_FIELD', members: { field: 'runAt' } }, `${text}`);
  }
});

t.test('any text is a time or refused, never NaN', async () => {
  const near = fc
    .tuple(
      fc.constantFrom('2026-01-01T00:00:00Z', '2026-12-31T23:59:59.9-12:30'),
      fc.nat(27),
      fc.string({ maxLength: 2 }),
    )
    .map(([text, place, put]) => text.slice(0, place) + put + text.slice(place + put.length));
  fc.assert(
    fc.property(fc.oneof(near, fc.string()), (text) => {
      try {
        return Number.isSafeInteger(read(text));
      } catch (error) {
        return (error as { code?: string }).code === 'INVALID_FIELD';
      }
    }),
    { numRuns: 2_000 },
  );
});
