import { type Static, Type } from 'typebox';
import type { Histogram } from './histogram.js';
import { MapOf, OneOf } from './schema.js';

/** Figures of a service as Prometheus has them: families of series that differ in their labels. */

const Labels = MapOf(Type.String({ maxLength: 256 }), { namesMax: 64 });
const Series = Type.Object(
  {
    labels: Labels,
    /** Of a counter or a gauge. */
    value: Type.Optional(Type.Number()),
    /** Of a histogram: observations by bucket, not cumulative, one more than there are bounds. */
    counts: Type.Optional(Type.Array(Type.Number({ minimum: 0 }), { maxItems: 65 })),
    sum: Type.Optional(Type.Number()),
  },
  { additionalProperties: false },
);
export type Series = Static<typeof Series>;

/** Series of one name. Times are in seconds, sizes in bytes; the name says which. */
export const Family = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z][a-z0-9_]{0,127}$' }),
    help: Type.String({ maxLength: 512 }),
    kind: OneOf(['counter', 'gauge', 'histogram']),
    /** Of a histogram: upper ends of the buckets, ascending. */
    bounds: Type.Optional(Type.Array(Type.Number(), { maxItems: 64 })),
    series: Type.Array(Series, { maxItems: 65_536 }),
  },
  { additionalProperties: false },
);
export type Family = Static<typeof Family>;

export type Labels = Readonly<Record<string, string>>;
type Valued = readonly (readonly [labels: Labels, value: number])[];

/** What only grows while the process lives. Its name ends in `_total`. */
export function counter(name: string, help: string, valued: Valued): Family {
  return { name, help, kind: 'counter', series: valued.map(ofValue) };
}

export function gauge(name: string, help: string, valued: Valued): Family {
  return { name, help, kind: 'gauge', series: valued.map(ofValue) };
}

/** @param histograms at least one, all with the same bounds */
export function histogram(
  name: string,
  help: string,
  histograms: readonly (readonly [labels: Labels, histogram: Histogram])[],
): Family {
  const series = histograms.map(([labels, { counts, sum }]) => {
    // What workers measured may be any number, and so many of them more than a number holds.
    return { labels, counts: [...counts], sum: Math.min(Number.MAX_VALUE, sum) };
  });
  const bounds = [...(histograms[0]?.[1].bounds ?? [])];
  return { name, help, kind: 'histogram', bounds, series };
}

function ofValue([labels, value]: Valued[number]): Series {
  return { labels, value };
}
