import { setImmediate } from 'node:timers/promises';
import { pino } from 'pino';
import t from 'tap';
import { invariant } from '../../src/invariant.js';
import { Poller } from '../../src/poll/poller.js';
import type { Demand, Enclosure, Isolation } from '../../src/worker/enclosure.js';
import type { ExecuteMessage } from '../../src/worker/queue.js';
import type { ProcessRuntime } from '../../src/worker/runtimes/runtime.js';
import type { ForkServers } from '../../src/worker/warm/fork-servers.js';
import { enclosuresMax, readyMax } from '../../src/worker/warm/plan.js';
import type { Prepared } from '../../src/worker/warm/prepared.js';
import { Starter } from '../../src/worker/warm/starter.js';
import { lackingForStrict } from './strict-host.js';
import { defaultLimits } from './test-controller.js';
import { startRig } from './test-worker.js';

const runtime: ProcessRuntime = {
  kind: 'process',
  file: '/bin/bash',
  prefixes: [],
  scriptName: 'script.sh',
  env: {},
  argv: (args) => ['/bin/bash', 'script.sh', ...args],
};

const slots = 4;
const skip = lackingForStrict();

/** Counts enclosures, whose processes are nowhere: they are opened, or not, as the test says. */
function rig(t: { teardown(action: () => unknown): void }) {
  let count = 0;
  let most = 0;
  const opening: ((error: unknown) => void)[] = [];
  const keyOf = ({ limits }: Demand) => String(limits.diskBytes);
  const isolation = {
    level: 'strict',
    canPrepare: () => true,
    keyOf: (_: unknown, demand: Demand) => keyOf(demand),
    enclose: () => {
      count += 1;
      most = Math.max(most, count);
      invariant(count <= enclosuresMax(slots), 'there are as many ids as enclosures');
      return { plan: {}, leave: () => void count-- } as unknown as Enclosure;
    },
  } as unknown as Isolation;
  const ready = {
    open: (_: unknown, _opened: unknown, failed: (error: unknown) => void) => {
      opening.push(failed);
    },
  };
  const poller = new Poller();
  t.teardown(() => poller.close());
  const starter = new Starter({
    ...{ runtime, isolation, poller, readyMax: readyMax(slots) },
    forkServers: { ready, close: () => undefined } as unknown as ForkServers,
    log: pino({ level: 'silent' }),
    nowMs: () => performance.now(),
  });
  const task = (diskBytes: number): ExecuteMessage => ({
    ...{ kind: 'execute', taskId: 'task', attempt: 1, code: '' },
    limits: { ...defaultLimits, diskBytes },
  });
  const settle = (most: number) => {
    for (const failed of opening.splice(0, most)) failed(new Error('it is not opened'));
  };
  return { starter, task, settle, counted: () => ({ count, most }) };
}

for (const [what, perStep] of [
  ['at once', Number.POSITIVE_INFINITY],
  ['now and then', 1],
  ['never', 0],
] as const) {
  t.test(
    `however many sorts are demanded, runs have room; what is given up goes ${what}`,
    async (t) => {
      const { starter, task, settle, counted } = rig(t);
      const running: Prepared[] = [];
      const leaving: Prepared[] = [];
      for (let index = 0; index < 600; index++) {
        if (running.length === slots) {
          leaving.push(...running.splice(0, 1));
          starter.ended();
        }
        if (leaving.length > slots) leaving.shift()?.enclosure.leave();
        // New ones, and some again.
        running.push(starter.take(task(index % 7 < 3 ? index % 7 : index)));
        if (index % 3 === 0) await setImmediate();
        settle(perStep);
      }
      t.ok(counted().most <= enclosuresMax(slots), `${counted().most} at most`);
      const closed = starter.close();
      settle(Number.POSITIVE_INFINITY);
      await closed;
      t.equal(counted().count, running.length + leaving.length);
    },
  );
}

t.test('for a sort of demand that is new one is held ready, for others more', async (t) => {
  const { starter, task, settle } = rig(t);
  const isReady = async (count: number) => {
    starter.ended();
    await setImmediate();
    await setImmediate();
    t.equal(starter.ready, count);
  };
  for (let index = 0; index < slots; index++) starter.take(task(index));
  await isReady(slots);
  for (let index = 0; index < slots; index++) starter.take(task(1));
  await isReady(slots - 1 + slots);
  const closed = starter.close();
  settle(Number.POSITIVE_INFINITY);
  await closed;
});

t.test('strict: tasks that all demand something else succeed', { skip }, async (t) => {
  const rig = await startRig(t, 'python', { isolation: 'strict', slots: 4 });
  const wrong: unknown[] = [];
  let next = 0;
  const lane = async () => {
    while (next < 60) {
      const limits = { diskBytes: (64 << 20) + 4096 * next++ };
      const result = await rig.controller.run({ code: '', limits });
      if (result.outcome !== 'success') wrong.push(result.reason);
    }
  };
  await Promise.all([lane(), lane(), lane(), lane()]);
  t.strictSame(wrong, []);
  t.notOk(rig.logged.some(({ msg }) => /no process made ready/.test(String(msg))));
});
