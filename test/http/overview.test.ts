import t, { type Test } from 'tap';
import { httpLimits } from '../../src/http/limits.js';
import type { HttpOptions } from '../../src/http/server.js';
import { Tokens } from '../../src/http/tokens.js';
import { assertProblem, type Daemon, startDaemon } from './daemon.js';
import { EventReader } from './event-reader.js';
import { type Behaviour, refuseWith } from './fake-controller.js';
import { overview, queue, sample, wallMs, worker } from './overview-samples.js';
import { bearer, sampleToken } from './token-samples.js';

const at = (ms: number) => new Date(ms).toISOString();

/** A controller that tells this of itself, as it is then. */
class Told {
  overview = overview();
  samples = [sample(wallMs - 10_000), sample(wallMs)];
  asked = { overview: 0, history: 0 };

  readonly behaviour: Behaviour = (message, connection) => {
    if (message.kind === 'overview') {
      this.asked.overview += 1;
      const [before, newest] = this.samples.slice(-2);
      connection.send({
        ...{ kind: 'overviewReport', requestId: message.requestId, ...this.overview },
        ...(newest && { newest }),
        ...(newest && before && { newestAfter: before.at }),
      });
    } else if (message.kind === 'history') {
      this.asked.history += 1;
      const { samples } = this;
      connection.send({ kind: 'samples', requestId: message.requestId, stepMs: 10_000, samples });
    }
  };
}

async function open(t: Test, daemon: Daemon, headers: Record<string, string> = {}) {
  const reader = await EventReader.open(daemon.address, '/v1/overview/events', headers);
  t.teardown(() => reader.destroy());
  return reader;
}

async function start(t: Test, changes: Partial<HttpOptions> = {}) {
  const daemon = await startDaemon(t, changes);
  const told = new Told();
  daemon.controller.behaviour = told.behaviour;
  return { daemon, told };
}

t.test('the overview has queues, workers and dead letters, and what to look at', async (t) => {
  const { daemon, told } = await start(t);
  const pool = { prepared: 1, warmStarts: 4, coldStarts: 2 };
  told.overview = overview({
    queues: [queue({ paused: true, ready: 3, oldestMs: 1_250, readyPerMinute: [1, 2] })],
    workers: [worker({ pool, draining: true })],
    ...{ deadLetters: 1_000, deadLettersMore: true },
  });
  const answer = await daemon.ask({ path: '/v1/overview' });
  t.equal(answer.status, 200);
  t.equal(answer.headers['cache-control'], 'no-store');
  const { warnings, ...rest } = answer.json;
  t.same(rest, {
    ...{ at: at(wallMs), ready: true, draining: false, missing: [] },
    queues: [
      {
        ...{ type: 'python', paused: true, ready: 3, waiting: 0, running: 0 },
        ...{ workers: 1, slots: 2, oldestMs: 1_250 },
      },
    ],
    workers: [
      {
        ...{ id: 'python-1', type: 'python', slots: 2, busy: 1, pid: 7, pool, draining: true },
        isolation: { level: 'strict', layers: ['seccomp', 'landlock'] },
        ...{ heardAt: at(wallMs - 500), connectedAt: at(wallMs - 60_000) },
      },
    ],
    ...{ deadLetters: 1_000, deadLettersMore: true },
  });
  t.match(warnings, [{ code: 'PAUSED', type: 'python' }, { code: 'DEAD_LETTERS' }]);
  assertProblem(t, await daemon.ask({ path: '/v1/overview?x=1' }), 400, 'UNKNOWN_PARAMETER');
  assertProblem(t, await daemon.ask({ path: '/v1/overview/events?x=1' }), 400, 'UNKNOWN_PARAMETER');
});

t.test('a stream begins with the history, and tells what becomes another', async (t) => {
  const { daemon, told } = await start(t);
  const reader = await open(t, daemon);
  t.equal(reader.headers['content-type'], 'text/event-stream');
  const history = await reader.next();
  t.match(history, { name: 'history', data: { stepMs: 10_000, samples: { length: 2 } } });
  const samples = history?.data.samples as unknown[] | undefined;
  t.same(samples?.at(-1), {
    at: at(wallMs),
    types: {
      python: {
        ...{ ready: 1, waiting: 0, running: 2, slots: 2, submitted: 3 },
        ...{ finished: { success: 2 }, queuedMsMax: 20.5, queuedMsMean: 10 },
      },
    },
  });
  t.match(await reader.next(), { name: 'overview', data: { ready: true, warnings: [] } });
  // What always moves is no news.
  told.overview = overview({ at: wallMs + 1_000, workers: [worker({ heardAt: wallMs + 900 })] });
  told.samples.push(sample(wallMs + 10_000));
  const next = await reader.next();
  t.match(next, { name: 'sample', data: { at: at(wallMs + 10_000), types: { python: {} } } });
  told.overview = overview({ queues: [queue({ paused: true, ready: 1 })] });
  const paused = await reader.next();
  t.match(paused, { name: 'overview', data: { warnings: [{ code: 'PAUSED' }] } });
  told.samples = [sample(wallMs + 50_000), sample(wallMs + 60_000)];
  t.match(
    await reader.next(),
    { name: 'history', data: { samples: [{ at: at(wallMs + 50_000) }, {}] } },
    'where samples were missed all are told again',
  );
});

t.test('what is the same is told again now and then', async (t) => {
  const { daemon } = await start(t);
  const reader = await open(t, daemon);
  const first = await reader.find(({ name }) => name === 'overview');
  t.same((await reader.next())?.data, first.data, 'after ten seconds');
});

t.test('all streams share one look a second, and nobody looks for nobody', async (t) => {
  const { daemon, told } = await start(t);
  const readers = await Promise.all(Array.from({ length: 8 }, () => open(t, daemon)));
  for (const reader of readers) await reader.find(({ name }) => name === 'overview');
  t.ok(told.asked.overview < readers.length, `${told.asked.overview} looks for 8 streams`);
  t.ok(told.asked.history < readers.length, `${told.asked.history} of the history`);
  told.overview = overview({ deadLetters: 5 });
  for (const reader of readers) {
    t.match(await reader.next(), { name: 'overview', data: { deadLetters: 5 } });
  }
  for (const reader of readers) reader.destroy();
  await new Promise((resolve) => setTimeout(resolve, 2 * httpLimits.lookMs));
  const { overview: asked } = told.asked;
  await new Promise((resolve) => setTimeout(resolve, 2 * httpLimits.lookMs));
  t.equal(told.asked.overview, asked);
});

t.test('a stream outlives its controller, and ends with its daemon', async (t) => {
  const { daemon, told } = await start(t, { controllerWaitMs: 100 });
  const reader = await open(t, daemon);
  await reader.find(({ name }) => name === 'overview');
  daemon.controller.stop();
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  told.overview = overview({ deadLetters: 7 });
  told.samples = [];
  daemon.controller.start();
  t.match(await reader.next(), { name: 'overview', data: { deadLetters: 7 } });
  await Promise.all([daemon.close(), reader.rest()]);
  t.ok(reader.comments.includes(''), 'meanwhile it was kept alive');
});

t.test('there are no more streams than there may be, and refusals are statuses', async (t) => {
  const { daemon, told } = await start(t);
  daemon.controller.behaviour = refuseWith('OVERLOADED', 'as ever');
  assertProblem(t, await daemon.ask({ path: '/v1/overview/events' }), 429, 'OVERLOADED');
  assertProblem(t, await daemon.ask({ path: '/v1/overview' }), 429, 'OVERLOADED');
  daemon.controller.behaviour = told.behaviour;
  const more = httpLimits.eventStreamsPerTaskMax + 1;
  const readers = await Promise.all(Array.from({ length: more }, () => open(t, daemon)));
  t.ok(
    readers.every(({ status }) => status === 200),
    'they are of no task',
  );
});

t.test('a token of a group does not see how many dead letters there are', async (t) => {
  const ours = sampleToken({ scopes: ['read'], group: 'ours' });
  const whole = sampleToken({ scopes: ['read'] });
  const tokens = new Tokens([ours.record, whole.record]);
  const { daemon, told } = await start(t, { tokens });
  told.overview = overview({ deadLetters: 1_000, deadLettersMore: true });
  for (const [{ token }, isTold] of [
    [ours, false],
    [whole, true],
  ] as const) {
    const headers = bearer(token);
    const { json } = await daemon.ask({ path: '/v1/overview', headers });
    const reader = await open(t, daemon, headers);
    const { data } = await reader.find(({ name }) => name === 'overview');
    for (const seen of [json, data]) {
      t.equal('deadLetters' in seen, isTold);
      t.equal('deadLettersMore' in seen, isTold);
      t.equal((seen.warnings as unknown[]).length, isTold ? 1 : 0);
      t.match(seen, { queues: [{ type: 'python' }], workers: [{ id: 'python-1' }] });
    }
  }
  tokens.replace([whole.record]);
  const reader = await open(t, daemon, bearer(whole.token));
  await reader.find(({ name }) => name === 'overview');
  tokens.replace([]);
  told.overview = overview({ deadLetters: 1 });
  t.same(await reader.rest(), [], 'after its token nothing more is told');
  t.match(reader.comments.at(-1), /^UNAUTHORIZED/);
});
