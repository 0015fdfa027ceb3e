import t from 'tap';
import { type OverviewEvent, Scriptd } from '../../src/client/index.js';
import { json, problem, scripted, stream } from './scripted.js';

const event = (name: string, data: object) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

t.test('the overview comes as it is, and a stream of it goes on after a break', async (t) => {
  const overview = { ready: true, queues: [], workers: [], warnings: [] };
  const history = event('history', { stepMs: 10_000, samples: [] });
  const { url, asked } = await scripted(
    t,
    json(200, overview),
    stream([history, event('overview', overview), 'event: overview\nda'], 'break'),
    problem(503, 'CONTROLLER_UNAVAILABLE'),
    stream([history, event('sample', { at: '', types: {} })], 'stay'),
  );
  const client = new Scriptd({ url });
  t.same(await client.overview(), overview);
  const events: OverviewEvent[] = [];
  for await (const one of client.overviewEvents()) if (events.push(one) === 4) break;
  t.match(events, [
    { event: 'history', data: { stepMs: 10_000 } },
    { event: 'overview', data: overview },
    { event: 'history' },
    { event: 'sample', data: { types: {} } },
  ]);
  t.same(
    asked.map(({ path }) => path),
    ['/v1/overview', ...Array(3).fill('/v1/overview/events')],
  );
  t.equal(asked[3]?.headers['last-event-id'], undefined, 'there is nothing to go on after');
});

t.test('a drain is not asked for again where it may have been done', async (t) => {
  const { url, asked } = await scripted(
    t,
    problem(503, 'CONTROLLER_UNAVAILABLE'),
    json(202, { id: 'a/b', draining: true }),
    problem(503, 'CONTROLLER_LOST'),
  );
  const client = new Scriptd({ url });
  t.match(await client.drainWorker('a/b'), { draining: true });
  t.match(asked[1], { method: 'POST', path: '/v1/workers/a%2Fb/drain' });
  await t.rejects(client.drainWorker('a'), { code: 'CONTROLLER_LOST' });
  t.equal(asked.length, 3);
});
