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
