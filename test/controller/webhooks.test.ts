import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { Webhooks } from '../../src/controller/webhooks.js';
import { createLog } from '../../src/log.js';
import { MemoryStore } from '../../src/store/memory.js';
import type { OwedDelivery, TaskStore } from '../../src/store/port.js';
import type { Errand } from '../../src/webhooks/courier.js';
import type { Attempted } from '../../src/webhooks/delivery.js';
import { webhookLimits } from '../../src/webhooks/limits.js';
import { HandClock, submission, success } from '../store/fixtures.js';

/** A courier whose errands end when the test says so. */
class Errands {
  readonly urls: string[] = [];
  readonly close = () => undefined;
  #under: ((answer: Attempted) => void)[] = [];

  send({ url }: Errand): Promise<Attempted> {
    this.urls.push(url);
    return new Promise((resolve) => this.#under.push(resolve));
  }

  /** All that are under way. */
  end(answer: Partial<Attempted>): void {
    for (const resolve of this.#under.splice(0)) resolve({ at: 0, durationMs: 1, ...answer });
  }
}

/** Webhooks of a store, on a clock that the test turns. */
function setUp(store: TaskStore) {
  const clock = new HandClock();
  const courier = new Errands();
  const webhooks = new Webhooks({ store, courier, clock, log: createLog('test', 'silent') });
  return { clock, courier, webhooks };
}

const told = (origin: string) => submission({ webhook: { origin } }, { webhook: { url: origin } });

/** Gives what has begun some turns of the event loop. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await setImmediate();
}

/** Many receivers are owed as much as may wait for each, and before all others. */
class Crowded extends MemoryStore {
  readonly #taskId: string;

  /** @param taskId what they are told of */
  constructor(taskId: string) {
    super();
    this.#taskId = taskId;
  }

  override async *owedDeliveries(range: { from: number; to: number }) {
    const { waitingMax, waitingPerOriginMax } = webhookLimits;
    for (let dead = 0; dead < 10 + waitingMax / waitingPerOriginMax; dead++) {
      const chunk: OwedDelivery[] = [];
      for (let n = 0; n < waitingPerOriginMax; n++) {
        chunk.push({ taskId: `dead ${dead} ${n}`, origin: `https://dead${dead}.test`, dueAt: 0 });
      }
      yield chunk;
    }
    yield* super.owedDeliveries(range);
  }

  #real = (taskId: string) => (taskId.startsWith('dead') ? this.#taskId : taskId);
  override readDelivery = (taskId: string) => super.readDelivery(this.#real(taskId));
  override readSpec = (taskId: string) => super.readSpec(this.#real(taskId));
  override readView = (taskId: string) => super.readView(this.#real(taskId));
}

t.test(
  'more than may wait is owed to those that do not answer: others get their turn',
  async (t) => {
    const dead = told('https://dead.test');
    const good = told('https://good.test');
    const store = new Crowded(dead.view.id);
    await store.submit([dead, good]);
    await store.complete([success(dead.view.id, 0), success(good.view.id, 1)]);
    const { clock, courier, webhooks } = setUp(store);
    clock.nowMs = 1_000;
    webhooks.beat();
    const { urls } = courier;
    while (!urls.includes('https://good.test') && urls.length < webhookLimits.waitingMax / 2) {
      courier.end({ error: 'no answer' });
      await setImmediate();
    }
    t.ok(urls.includes('https://good.test'), `it has waited for ${urls.length} attempts`);
    webhooks.close();
  },
);

t.test('what was noted by a clock that was far ahead is told all the same', async (t) => {
  const store = new MemoryStore();
  const [ahead, waiting] = [told('https://ahead.test'), told('https://waiting.test')];
  await store.submit([ahead, waiting]);
  const years = 10 * 365 * 24 * 3_600_000;
  await store.complete([success(ahead.view.id, years), success(waiting.view.id, 1_000)]);
  const { clock, courier, webhooks } = setUp(store);
  clock.nowMs = 1_000;
  webhooks.beat();
  await turns();
  t.same(courier.urls, ['https://waiting.test', 'https://ahead.test']);
  const retryAfterMs = webhookLimits.retryAfterMsMax;
  courier.end({ error: 'not now', retryAfterMs });
  await turns();

  clock.nowMs += webhookLimits.rescanMs;
  webhooks.beat();
  await turns();
  t.equal(courier.urls.length, 2, 'neither is due');
  clock.nowMs = 1_000 + retryAfterMs;
  webhooks.beat();
  await turns();
  t.equal(courier.urls.length, 4);
  courier.end({ status: 200 });
  await turns();
  t.match(await webhooks.report(ahead.view.id), { delivery: { state: 'delivered', tries: 2 } });
  webhooks.close();
});
