import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { systemClock } from '../../src/clock.js';
import { Fleet } from '../../src/controller/fleet.js';
import type { PlaceHandlers, WorkerManager, WorkerPlace } from '../../src/controller/manager.js';
import type { IsolationReport } from '../../src/isolation.js';
import { createLog } from '../../src/log.js';
import { parseAddress } from '../../src/poll/address.js';
import { Poller } from '../../src/poll/poller.js';
import { Connection } from '../../src/wire/connection.js';
import type { Message } from '../../src/wire/messages.js';
import { Traffic } from '../../src/wire/traffic.js';
import { Transport } from '../../src/wire/transport.js';

const token = Buffer.from('a wire token for the tests only');

/** A folder, a poller, and a worker that takes every order and does none. */
function rig(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'scriptd-fleet-'));
  const address = parseAddress(`unix:${join(folder, 'worker.sock')}`);
  const poller = new Poller();
  t.teardown(() => {
    poller.close();
    rmSync(folder, { recursive: true });
  });
  const received: Message[] = [];
  poller.listen(address, {}, (socket) => {
    const local = { role: 'worker', id: 'python-1', instance: 'w' } as const;
    const serves = ['receiver', 'emitter'] as const;
    const isolation: IsolationReport = { level: 'none', layers: [] };
    const nothing = { running: [], unacknowledged: [] };
    const inventory = { type: 'python', slots: 1, prefetch: 0, pid: 1, isolation, ...nothing };
    new Connection(
      socket,
      'acceptor',
      { local, token, serves },
      {
        onOpen: ({ channel }, connection) => {
          if (channel === 'emitter') connection.send({ kind: 'inventory', ...inventory });
        },
        onMessage: (message) => received.push(message),
        onClose: () => undefined,
      },
    );
  });
  const place: WorkerPlace = { name: 'python-1', type: 'python', slots: 1, address, local: true };
  const replaced: (number | undefined)[] = [];
  let handlers: PlaceHandlers | undefined;
  const manager: WorkerManager = {
    types: ['python'],
    start: (given) => {
      handlers = given;
    },
    ensure: () => t.fail('it listens'),
    replace: (_place, pid) => replaced.push(pid),
    stop: () => undefined,
    finish: async () => undefined,
  };
  const local = { role: 'controller', id: 'controller', instance: 'c' } as const;
  const options = {
    poller,
    transport: new Transport(),
    local,
    token,
    manager,
    traffic: new Traffic(),
    clock: systemClock,
    log: createLog('test', 'silent'),
  };
  const add = () => handlers?.onAdded(place);
  const remove = () => handlers?.onRemoved(place);
  return { options, add, remove, replaced, received };
}

t.test('a worker that does not go when told to holds nobody up', async (t) => {
  const { options, add, replaced } = rig(t);
  await new Promise<void>((resolve) => {
    const fleet = new Fleet(options, {
      onUp: () => resolve(fleet.dismiss(10)),
      onDown: () => undefined,
      onRemoved: () => undefined,
      onMessage: () => undefined,
    });
    fleet.start();
    add();
  });
  t.same(replaced, [1], 'its manager was asked to end it');
});

t.test('places come and go, and nothing is missing where there is none', async (t) => {
  const { options, add, remove, received } = rig(t);
  const told: string[] = [];
  let up: () => void = () => undefined;
  const fleet = new Fleet(options, {
    onUp: ({ name }) => {
      told.push(`up ${name}`);
      up();
    },
    onDown: (name) => told.push(`down ${name}`),
    onRemoved: (name) => told.push(`removed ${name}`),
    onMessage: () => undefined,
  });
  fleet.start();
  t.same(fleet.missingTypes(), []);
  const connected = new Promise<void>((resolve) => {
    up = resolve;
  });
  add();
  t.same(fleet.missingTypes(), ['python']);
  const [absent] = fleet.absent();
  t.match(absent, { seat: { name: 'python-1' } });
  t.ok(absent && absent.sinceMs <= systemClock.monotonicMs(), 'it was away from the start');
  await connected;
  t.same(fleet.missingTypes(), []);
  t.same([...fleet.absent()], []);
  fleet.get('python-1')?.drain();
  while (received.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  t.same(received, [{ kind: 'drain' }]);
  remove();
  t.equal(fleet.get('python-1'), undefined);
  t.same(told, ['up python-1', 'removed python-1']);
  const again = new Promise<void>((resolve) => {
    up = resolve;
  });
  add();
  await again;
  fleet.stop();
  t.same(told.slice(2), ['up python-1']);
});

t.test('results are acknowledged together, with what is sent next or by themselves', async (t) => {
  const { options, add, received } = rig(t);
  const fleet = await new Promise<Fleet>((resolve) => {
    const made = new Fleet(options, {
      onUp: () => resolve(made),
      onDown: () => undefined,
      onRemoved: () => undefined,
      onMessage: () => undefined,
    });
    made.start();
    add();
  });
  const count = async (messages: number) => {
    while (received.length < messages) await new Promise((resolve) => setTimeout(resolve, 1));
    return received.splice(0);
  };
  const taskId = '01890a5d-ac96-774b-bcce-b302099a8057';
  const key = (attempt: number) => ({ taskId, attempt });
  const link = fleet.get('python-1');
  for (const attempt of [1, 2, 3]) link?.acknowledge(key(attempt));
  link?.send({ kind: 'recall', taskId, attempt: 4 });
  const both = await count(2);
  t.same(both.map(({ kind }) => kind).sort(), ['acknowledge', 'recall']);
  const acknowledged = both.find(({ kind }) => kind === 'acknowledge');
  t.same(acknowledged, { kind: 'acknowledge', results: [1, 2, 3].map(key) });
  link?.acknowledge(key(5));
  t.same(await count(1), [{ kind: 'acknowledge', results: [key(5)] }]);
  link?.acknowledge(key(6));
  fleet.stop();
  t.same(await count(1), [{ kind: 'acknowledge', results: [key(6)] }], 'also when it ends');
});
