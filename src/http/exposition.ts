import { type Metric, Registry } from 'prom-client';
import type { Family, Series } from '../figures.js';

/** One line of a family, as prom-client takes it. */
interface Sample {
  metricName: string;
  labels: Readonly<Record<string, string>>;
  value: number;
}

export const expositionType = Registry.PROMETHEUS_CONTENT_TYPE;

/**
 * Families as text for Prometheus (text format 0.0.4). Those of one name, from several parts, become
 * one.
 */
export function exposition(families: readonly Family[]): Promise<string> {
  const registry = new Registry();
  const byName = new Map<string, Family>();
  for (const family of families) {
    const { series } = byName.get(family.name) ?? { series: [] };
    byName.set(family.name, { ...family, series: [...series, ...family.series] });
  }
  for (const family of byName.values()) {
    const { name, help, kind: type } = family;
    const values = family.series.flatMap((series) => samplesOf(family, series));
    // What a Registry asks of a metric; the classes of prom-client count by themselves.
    const metric = { name, help, type, get: async () => ({ name, help, type, values }) };
    registry.registerMetric(metric as unknown as Metric);
  }
  return registry.metrics();
}

function samplesOf(family: Family, { labels, value = 0, counts, sum = 0 }: Series): Sample[] {
  const { name, kind, bounds = [] } = family;
  if (kind !== 'histogram') return [{ metricName: name, labels, value }];
  let upTo = 0;
  const buckets = [...bounds.map(String), '+Inf'].map((le, index) => {
    upTo += counts?.[index] ?? 0;
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: upTo };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: upTo },
  ];
}
