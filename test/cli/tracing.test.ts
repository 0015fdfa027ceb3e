import t from 'tap';
import { Collector } from '../controller/tracing/collector.js';
import { Service, until } from './service.js';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01`, tracestate: 'a=1' };
const script = 'echo "$TRACEPARENT $TRACESTATE"';

t.test('a trace goes from the caller through the task into the script', async (t) => {
  const collector = await Collector.start(t);
  const service = await Service.start(t, [
    ...['--workers', 'bash=1', '--otlp-endpoint', collector.endpoint],
  ]);
  const path = '/execute?type=bash';
  const answer = await service.request('POST', path, script, headers);
  await until('its spans are there', () => collector.spans.length >= 6);
  const byName = new Map(collector.spans.map((span) => [span.name, span]));
  const root = byName.get('task bash');
  t.match(root, { traceId, parentSpanId: '00f067aa0ba902b7' });
  t.same([...byName.keys()].sort(), ['dispatch', 'drain', 'queued', 'run', 'start', 'task bash']);
  for (const [name, span] of byName) {
    if (span !== root) t.match(span, { traceId, parentSpanId: root?.spanId }, name);
    t.ok(BigInt(span.startTimeUnixNano) <= BigInt(span.endTimeUnixNano), name);
  }
  const told = `00-${traceId}-${byName.get('run')?.spanId}-01 a=1\n`;
  t.equal(answer.body.toString(), told, 'the script is told of the span of its run');

  // A collector that fails is no matter of the tasks.
  collector.status = 500;
  t.equal((await service.execute('echo on', '?type=bash')).body.toString(), 'on\n');
  t.match(await service.stop(), { code: 0 });
});

t.test('without a collector the script gets what the caller said', async (t) => {
  const service = await Service.start(t, ['--workers', 'bash=1']);
  const ask = (headers: Record<string, string>) =>
    service.request('POST', '/execute?type=bash', script, headers);
  const { traceparent } = headers;
  t.equal((await ask(headers)).body.toString(), `${traceparent} a=1\n`);
  t.equal((await ask({ traceparent: 'nonsense', tracestate: 'a=1' })).body.toString(), ' \n');
  const own = { TRACEPARENT: 'mine' };
  const submitted = await service.request(
    'POST',
    '/v1/tasks?wait=30',
    JSON.stringify({ code: script, type: 'bash', env: own }),
    { ...headers, 'content-type': 'application/json' },
  );
  t.equal(submitted.json.stdout, 'mine \n', 'what the task itself names holds');
});
