import t from 'tap';
import { encodeTraces } from '../../../src/controller/tracing/otlp.js';
import { scriptContext, spansOf } from '../../../src/controller/tracing/spans.js';
import { finished, taskId } from '../../http/fake-controller.js';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const caller = { traceparent: `00-${traceId}-00f067aa0ba902b7-01`, tracestate: 'a=1' };
const at = (ms: number) => 1_700_000_000_000 + ms;

const task = finished({
  outcome: 'runtime_error',
  code: 'EXIT_NONZERO',
  reason: 'a secret of the script',
  createdAt: at(0),
  attempt: 2,
  attempts: [
    {
      ...{ attempt: 1, worker: 'a', startedAt: at(5), finishedAt: at(10) },
      ...{ outcome: 'network_fail', code: 'WORKER_LOST', reason: 'secret too' },
    },
    { attempt: 2, worker: 'b', startedAt: at(40), finishedAt: at(100) },
  ],
  timeline: { queuedMs: 30, dispatchMs: 1.5, startMs: 2.5, runMs: 50, drainMs: 1, checkMs: 0 },
  finishedAt: at(100),
});

t.test(
  'a span for the task, one for each attempt before, one for each phase of the last',
  async (t) => {
    const [root, ...below] = spansOf(task, caller);
    t.match(root, {
      ...{ traceId, parentSpanId: '00f067aa0ba902b7', traceState: 'a=1', name: 'task python' },
      ...{ startMs: at(0), endMs: at(100), error: 'EXIT_NONZERO' },
      attributes: { 'scriptd.task.id': taskId, 'scriptd.task.code': 'EXIT_NONZERO' },
    });
    t.same(
      below.map(({ name, startMs, endMs }) => [name, startMs, endMs]),
      [
        ['attempt 1', at(5), at(10)],
        ['queued', at(10), at(40)],
        ['dispatch', at(40), at(41.5)],
        ['start', at(41.5), at(44)],
        ['run', at(44), at(94)],
        ['drain', at(94), at(95)],
      ],
    );
    for (const span of below) {
      t.equal(span.traceId, traceId);
      t.equal(span.parentSpanId, root?.spanId);
    }
    const ids = [root, ...below].map((span) => span?.spanId ?? '');
    t.equal(new Set(ids).size, ids.length);
    for (const id of ids) t.match(id, /^[0-9a-f]{16}$/);
    t.notMatch(JSON.stringify([root, ...below]), /secret/, 'what a script said stays with us');
  },
);

t.test("the script's parent is the span of its own attempt", async (t) => {
  const spans = spansOf(task, caller);
  const parentOf = (attempt: number) =>
    scriptContext(caller, taskId, attempt, true).traceparent?.split('-');
  const idOf = (name: string) => spans.find((span) => span.name === name)?.spanId;
  t.same(parentOf(2), ['00', traceId, idOf('run'), '01']);
  t.same(parentOf(1), ['00', traceId, idOf('attempt 1'), '01']);
  t.equal(scriptContext(caller, taskId, 1, true).tracestate, 'a=1');
  t.same(scriptContext(caller, taskId, 1, false), caller, 'as it came, where no spans are sent');
});

t.test(
  'a task without a caller has a trace of its own; one that is not sampled has none',
  async (t) => {
    const own = taskId.replaceAll('-', '');
    const [root] = spansOf(task, {});
    t.equal(root?.traceId, own);
    t.notOk(root && 'parentSpanId' in root);
    t.match(
      scriptContext({}, taskId, 1, true).traceparent,
      new RegExp(`^00-${own}-[0-9a-f]{16}-01$`),
    );
    t.same(scriptContext({}, taskId, 1, false), {});

    const unsampled = { traceparent: `00-${traceId}-00f067aa0ba902b7-00` };
    t.same(spansOf(task, unsampled), []);
    t.same(scriptContext(unsampled, taskId, 1, true), unsampled);
  },
);

t.test('of a task that never ran there is the one span', async (t) => {
  const { timeline: _, ...rest } = task;
  const never = { ...rest, attempt: 0, attempts: [], outcome: 'expired' as const };
  t.equal(spansOf(never, {}).length, 1);
});

t.test('OTLP has times as nanoseconds in text, whatever a worker says of them', async (t) => {
  const read = (timeline: NonNullable<typeof task.timeline>) =>
    JSON.parse(encodeTraces(spansOf({ ...task, timeline }, {}))).resourceSpans[0].scopeSpans[0]
      .spans;
  const usual = task.timeline as NonNullable<typeof task.timeline>;
  t.match(
    read(usual).find(({ name }: { name: string }) => name === 'dispatch'),
    {
      ...{ kind: 1, traceId: taskId.replaceAll('-', '') },
      ...{ startTimeUnixNano: '1700000000040000000', endTimeUnixNano: '1700000000041500000' },
      attributes: [
        { key: 'scriptd.task.attempt', value: { intValue: '2' } },
        { key: 'scriptd.worker', value: { stringValue: 'b' } },
      ],
    },
  );
  t.match(read(usual)[0].status, { code: 2, message: 'EXIT_NONZERO' });
  for (const runMs of [Number.POSITIVE_INFINITY, Number.NaN, 1e300, -1e300]) {
    for (const { endTimeUnixNano } of read({ ...usual, runMs })) {
      t.match(endTimeUnixNano, /^\d{1,20}$/);
      t.ok(BigInt(endTimeUnixNano) < 2n ** 64n);
    }
  }
});
