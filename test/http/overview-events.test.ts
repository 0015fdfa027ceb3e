import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import type { History, Overview } from '../../src/http/controller-port.js';
import { OverviewEvents } from '../../src/http/overview-events.js';
import { OverviewTexts } from '../../src/http/overview-texts.js';
import { createLog } from '../../src/log.js';
import { overview, sample, wallMs } from './overview-samples.js';

const log = createLog('test', 'silent');
const history = (): History => ({ stepMs: 10_000, samples: [sample(wallMs)] });

function streamOf(texts: OverviewTexts, told: Overview, first: History) {
  const source = { recentOverview: async () => told, history: async () => history() };
  const events = new OverviewEvents(source, first, texts, log);
  return { events, text: events.text(() => () => undefined) };
}

t.test('what many streams tell of one answer is written once', async (t) => {
  const texts = new OverviewTexts();
  const [told, first] = [overview(), history()];
  const pulled: Buffer[][] = [];
  for (let count = 0; count < 3; count++) {
    const { events, text } = streamOf(texts, told, first);
    const all = [await text.next(), await text.next(), await text.next()];
    pulled.push(all.map(({ value }) => value));
    events.stop();
  }
  const [one = [], ...others] = pulled;
  t.match(String(one[1]), /^event: history\n/);
  t.match(String(one[2]), /^event: overview\n/);
  for (const other of others) {
    t.equal(other[1], one[1], 'the bytes of the history');
    t.equal(other[2], one[2], 'and of the overview');
  }
});

t.test('a stream does not hold on to the hour that it began with', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const texts = new OverviewTexts();
  const begin = () => {
    const first = history();
    return { ...streamOf(texts, overview(), first), seen: new WeakRef(first) };
  };
  const { events, text, seen } = begin();
  for (let count = 0; count < 3; count++) await text.next();
  await delay(10);
  collect();
  t.equal(seen.deref(), undefined);
  events.stop();
  await text.return(undefined);
});
