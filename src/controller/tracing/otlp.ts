import type { Span } from './spans.js';

const nsPerMs = 1_000_000;
/** SpanKind INTERNAL, StatusCode ERROR. */
const kindInternal = 1;
const statusError = 2;

/**
 * The body of a POST to a collector's /v1/traces: an ExportTraceServiceRequest in JSON. Ids are hex,
 * 64-bit numbers text, enumerations numbers.
 *
 * Source: OpenTelemetry Protocol 1.5, "JSON Protobuf Encoding"; opentelemetry-proto trace.proto
 */
export function encodeTraces(spans: readonly Span[]): string {
  const resource = { attributes: [attribute('service.name', 'scriptd')] };
  const scopeSpans = [{ scope: { name: 'scriptd' }, spans: spans.map(spanJson) }];
  return JSON.stringify({ resourceSpans: [{ resource, scopeSpans }] });
}

function spanJson({ startMs, endMs, attributes, error, ...span }: Span) {
  return {
    ...span,
    kind: kindInternal,
    startTimeUnixNano: nanoseconds(startMs),
    endTimeUnixNano: nanoseconds(endMs),
    attributes: Object.entries(attributes).map(([key, value]) => attribute(key, value)),
    ...(error !== undefined && { status: { code: statusError, message: error } }),
  };
}

function attribute(key: string, value: string | number) {
  const typed = typeof value === 'number' ? { intValue: String(value) } : { stringValue: value };
  return { key, value: typed };
}

/** Until the year 2540: beyond it nanoseconds do not fit into 64 bits. */
const msMax = 1.8e13;

/** A double has microseconds of our time, not nanoseconds. Durations come from workers: any number. */
function nanoseconds(ms: number): string {
  const bounded = Math.min(msMax, Math.max(0, ms)) || 0;
  const whole = Math.floor(bounded);
  return String(BigInt(whole) * BigInt(nsPerMs) + BigInt(Math.round((bounded - whole) * nsPerMs)));
}
