import type { IncomingMessage } from 'node:http';
import t from 'tap';
import { readTraceContext } from '../../src/http/trace-context.js';
import { type Daemon, startDaemon } from './daemon.js';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const parentId = '00f067aa0ba902b7';
const parent = `00-${traceId}-${parentId}-01`;

/** The trace that a task is submitted with when a request has these headers. */
async function traced(
  daemon: Daemon,
  headers: Record<string, string | string[]>,
  asking: { method: string; path: string; body?: string },
) {
  const submitted = daemon.controller.next('submit');
  const type = asking.path === '/v1/tasks' ? { 'content-type': 'application/json' } : {};
  const { status } = await daemon.ask({ ...asking, headers: { ...headers, ...type } });
  const { traceparent, tracestate } = (await submitted).task;
  return { taken: status < 300, traceparent, tracestate };
}

const execute = { method: 'POST', path: '/execute', body: '1' };

t.test('a trace is taken from each way to submit', async (t) => {
  const daemon = await startDaemon(t);
  const headers = { traceparent: parent, tracestate: 'a=1,b@c=2' };
  const expected = { taken: true, traceparent: parent, tracestate: 'a=1,b@c=2' };
  for (const asking of [
    execute,
    { method: 'GET', path: '/execute?code=1' },
    { method: 'POST', path: '/v1/tasks', body: '{"code":"1"}' },
  ]) {
    t.same(await traced(daemon, headers, asking), expected, `${asking.method} ${asking.path}`);
  }
  t.same(await traced(daemon, {}, execute), {
    ...{ taken: true, traceparent: undefined, tracestate: undefined },
  });
  const inBody = await daemon.ask({
    ...{ method: 'POST', path: '/v1/tasks', headers: { 'content-type': 'application/json' } },
    body: JSON.stringify({ code: '1', traceparent: parent }),
  });
  t.equal(inBody.status, 400, 'it is a header, not a field');
});

t.test('what is not as it must be is ignored, and the task runs', async (t) => {
  const daemon = await startDaemon(t);
  const parents: [header: string | string[], taken: string | undefined][] = [
    [`cc-${traceId}-${parentId}-01`, parent],
    [`cc-${traceId}-${parentId}-01-what-is-to-come`, parent],
    [`00-${traceId}-${parentId}-ff`, `00-${traceId}-${parentId}-03`],
    [`00-${traceId}-${parentId}-00`, `00-${traceId}-${parentId}-00`],
    [`ff-${traceId}-${parentId}-01`, undefined],
    [`00-${traceId}-${parentId}-01-more`, undefined],
    [`cc-${traceId}-${parentId}-01more`, undefined],
    [parent.toUpperCase(), undefined],
    [`00-${'0'.repeat(32)}-${parentId}-01`, undefined],
    [`00-${traceId}-${'0'.repeat(16)}-01`, undefined],
    [`00-${traceId}-${parentId}`, undefined],
    [`${parent}\t`, parent],
    [[parent, parent], undefined],
    ['', undefined],
    ['x'.repeat(100_000), undefined],
  ];
  for (const [header, expected] of parents) {
    const { taken, traceparent } = await traced(daemon, { traceparent: header }, execute);
    t.ok(taken);
    t.equal(traceparent, expected, JSON.stringify(header).slice(0, 100));
  }
});

t.test('a tracestate of blanks takes no time', (t) => {
  const read = (tracestate: string) => {
    const headersDistinct = { traceparent: [parent], tracestate: [tracestate] };
    const request = { headers: { traceparent: parent }, headersDistinct };
    return readTraceContext(request as unknown as IncomingMessage).tracestate;
  };
  const beforeMs = performance.now();
  // Each would take a quarter of a second and more, if it were looked at again from each blank on.
  const long = `a${' '.repeat(16_300)}b`;
  const taken = Array.from({ length: 40 }, () => read(long)).filter(Boolean);
  const tookMs = performance.now() - beforeMs;
  t.ok(tookMs < 5_000, `${tookMs} ms`);
  t.same(taken, [], 'it is none');
  t.equal(read(` \t a=1\t, \t,b=x  y  `), 'a=1,b=x  y');
  t.end();
});

t.test('a tracestate is kept whole, cut between members, or dropped', async (t) => {
  const daemon = await startDaemon(t);
  const long = Array.from({ length: 32 }, (_, index) => `k${index}=${'v'.repeat(20)}`);
  const states: [header: string | string[], taken: string | undefined][] = [
    ['a=1 ,\t b=2,,', 'a=1,b=2'],
    [['a=1', 'b=2'], 'a=1,b=2'],
    ['t@v=x y', 't@v=x y'],
    [long.join(','), long.slice(0, 20).join(',')],
    [[...long, 'k33=1'].join(','), undefined],
    ['a=1,a=2', undefined],
    ['A=1', undefined],
    ['a=', undefined],
    ['a=b=c', undefined],
    ['a', undefined],
    [`a=${'v'.repeat(257)}`, undefined],
    [','.repeat(100_000), undefined],
    ['', undefined],
  ];
  for (const [header, expected] of states) {
    const headers = { traceparent: parent, tracestate: header };
    const { taken, traceparent, tracestate } = await traced(daemon, headers, execute);
    t.ok(taken);
    t.equal(traceparent, parent, 'which does not depend on it');
    t.equal(tracestate, expected, JSON.stringify(header).slice(0, 100));
    t.ok((tracestate ?? '').length <= 512);
  }
  const alone = await traced(daemon, { tracestate: 'a=1' }, execute);
  t.equal(alone.tracestate, undefined, 'without a parent it says nothing');
});
