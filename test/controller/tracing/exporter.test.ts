import t from 'tap';
import { Exporter } from '../../../src/controller/tracing/exporter.js';
import { tracingLimits } from '../../../src/controller/tracing/limits.js';
import type { Span } from '../../../src/controller/tracing/spans.js';
import { createLog } from '../../../src/log.js';
import { until } from '../../cli/service.js';
import { Collector } from './collector.js';

const log = createLog('test', 'silent');

function spans(count: number): Span[] {
  return Array.from({ length: count }, (_, index) => ({
    ...{ traceId: 'a'.repeat(32), spanId: index.toString(16).padStart(16, '0'), name: 'x' },
    ...{ startMs: 1, endMs: 2, attributes: {} },
  }));
}

t.test('spans go out in batches, as a collector expects them', async (t) => {
  const collector = await Collector.start(t);
  const exporter = new Exporter({ endpoint: `${collector.endpoint}/`, log });
  t.teardown(() => exporter.close());
  exporter.add(spans(tracingLimits.batchSpansMax + 1));
  await until('all are there', () => exporter.exported === tracingLimits.batchSpansMax + 1);
  t.same(collector.requests, [
    { path: '/v1/traces', contentType: 'application/json', spans: tracingLimits.batchSpansMax },
    { path: '/v1/traces', contentType: 'application/json', spans: 1 },
  ]);
  exporter.add(spans(1));
  await until(
    'a few go too, after a while',
    () => exporter.exported === tracingLimits.batchSpansMax + 2,
  );
  exporter.add(spans(2));
  await until('and again', () => exporter.exported === tracingLimits.batchSpansMax + 4);
  t.equal(exporter.dropped, 0);
});

t.test(
  'what a collector cannot take now is sent again, what it does not want is dropped',
  async (t) => {
    const collector = await Collector.start(t);
    const exporter = new Exporter({ endpoint: collector.endpoint, log });
    t.teardown(() => exporter.close());
    collector.status = 503;
    exporter.add(spans(3));
    await until('it was asked', () => collector.requests.length === 1);
    collector.status = 200;
    await until('it has them', () => exporter.exported === 3);
    t.equal(collector.spans.length, 3, 'once');

    for (const status of [400, 302]) {
      const before = exporter.dropped;
      collector.status = status;
      exporter.add(spans(2));
      await until(`dropped at ${status}`, () => exporter.dropped === before + 2);
    }
    t.equal(exporter.exported, 3);
  },
);

t.test(
  'behind a collector that does not answer no more is kept than there is room for',
  async (t) => {
    const collector = await Collector.start(t);
    collector.status = undefined;
    const exporter = new Exporter({ endpoint: collector.endpoint, log });
    exporter.add(spans(tracingLimits.batchSpansMax));
    await until('it was asked', () => collector.held.length === 1);
    exporter.add(spans(tracingLimits.queuedSpansMax));
    exporter.add(spans(7));
    t.equal(exporter.dropped, 7);
    await exporter.close();
    t.equal(exporter.exported, 0, 'it ends all the same');
    exporter.add(spans(1));
    t.equal(
      exporter.exported + exporter.dropped,
      tracingLimits.batchSpansMax + tracingLimits.queuedSpansMax + 8,
    );
  },
);

t.test('at the end what is left goes out', async (t) => {
  const collector = await Collector.start(t);
  const exporter = new Exporter({ endpoint: collector.endpoint, log });
  exporter.add(spans(5));
  await exporter.close();
  t.equal(collector.spans.length, 5);
});

t.test('an endpoint that is none is refused with the cure', async (t) => {
  for (const endpoint of ['collector:4318', 'ftp://collector', 'http://a:b@collector', 'x']) {
    t.throws(() => new Exporter({ endpoint, log }), {
      code: 'BAD_CONFIG',
      message: /http:\/\/127/,
    });
  }
});
