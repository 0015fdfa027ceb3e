import t from 'tap';
import type {
  PlaceHandlers,
  TypeLoad,
  WorkerManager,
  WorkerPlace,
} from '../../src/controller/manager.js';
import { RemoteManager } from '../../src/controller/managers/remote.js';
import { SeveralManagers } from '../../src/controller/managers/several.js';
import { createLog } from '../../src/log.js';
import { parseAddress } from '../../src/poll/address.js';

const address = parseAddress('tcp://127.0.0.1:1');
const place = (name: string, type: string): WorkerPlace => {
  return { name, type, slots: 1, address, local: false };
};
const log = createLog('test', 'silent');

/** A manager that keeps what it is told. */
class Recording implements WorkerManager {
  readonly types: readonly string[];
  readonly told: unknown[] = [];
  handlers: PlaceHandlers | undefined;
  drain?: (name: string) => void;

  constructor(types: readonly string[]) {
    this.types = types;
  }

  start(handlers: PlaceHandlers): void {
    this.handlers = handlers;
  }

  ensure({ name }: WorkerPlace): void {
    this.told.push(['ensure', name]);
  }

  replace({ name }: WorkerPlace, pid: number | undefined): void {
    this.told.push(['replace', name, pid]);
  }

  stop(): void {
    this.told.push('stop');
  }

  async finish(waitMs: number): Promise<void> {
    this.told.push(['finish', waitMs]);
  }
}

class Scaling extends Recording {
  retire(name: string): void {
    this.told.push(['retire', name]);
  }

  load(types: readonly TypeLoad[]): void {
    this.told.push(types.map(({ type }) => type));
  }
}

t.test('each manager sees to its own places and hears of its own types', async (t) => {
  const first = new Recording(['a', 'b']);
  const second = new Scaling(['b', 'c']);
  const several = new SeveralManagers([first, second]);
  t.same(several.types, ['a', 'b', 'c']);
  const drained: string[] = [];
  const told: string[] = [];
  several.drain = (name) => drained.push(name);
  several.start({
    onAdded: ({ name }) => told.push(`added ${name}`),
    onListening: ({ name }) => told.push(`listening ${name}`),
    onRemoved: ({ name }) => told.push(`removed ${name}`),
  });
  first.handlers?.onAdded(place('a-1', 'a'));
  second.handlers?.onAdded(place('c-1', 'c'));
  second.handlers?.onListening(place('c-1', 'c'));
  several.ensure(place('a-1', 'a'));
  several.replace(place('c-1', 'c'), 7);
  for (const name of ['a-1', 'c-1', 'nobody']) several.retire(name);
  second.drain?.('c-1');
  const none = { ready: 0, waiting: 0, running: 0, workers: new Map(), awaited: new Set<string>() };
  several.load?.(several.types.map((type) => ({ type, ...none })));
  second.handlers?.onRemoved(place('c-1', 'c'));
  several.ensure(place('c-1', 'c'));
  several.stop();
  await several.finish(5, []);
  t.same(first.told, [['ensure', 'a-1'], 'stop', ['finish', 5]]);
  t.same(second.told, [
    ['replace', 'c-1', 7],
    ['retire', 'c-1'],
    ['b', 'c'],
    'stop',
    ['finish', 5],
  ]);
  t.same(told, ['added a-1', 'added c-1', 'listening c-1', 'removed c-1']);
  t.same(drained, ['c-1']);
});

t.test('nobody is asked to count where nobody scales', async (t) => {
  const remote = new RemoteManager([place('a-1', 'a'), place('a-2', 'a')], log);
  const several = new SeveralManagers([remote]);
  t.equal(several.load, undefined);
  const added: string[] = [];
  several.start({
    onAdded: ({ name }) => added.push(name),
    onListening: () => t.fail('nobody knows when'),
    onRemoved: () => t.fail('none goes'),
  });
  t.same(added, ['a-1', 'a-2']);
  t.same(several.types, ['a']);
});
