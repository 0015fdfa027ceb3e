import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { systemClock } from '../../src/clock.js';
import { Fleet } from '../../src/controller/fleet.js';
import { JoinListener } from '../../src/controller/join-listener.js';
import type { PlaceHandlers, WorkerManager } from '../../src/controller/manager.js';
import type { ScriptdError } from '../../src/errors.js';
import { createLog } from '../../src/log.js';
import { parseAddress } from '../../src/poll/address.js';
import { Poller } from '../../src/poll/poller.js';
import { Connection } from '../../src/wire/connection.js';
import { wireLimits } from '../../src/wire/limits.js';
import type { Message, MessageOf } from '../../src/wire/messages.js';
import { Traffic } from '../../src/wire/traffic.js';
import { Transport } from '../../src/wire/transport.js';

const token = Buffer.from('a wire token for the tests only');

interface Worker {
  received: Message[];
  closings: string[];
  receiver: Connection;
  emitter: Connection;
}

/** A fleet with a door, and workers that come to it. */
function rig(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'scriptd-join-'));
  const address = parseAddress(`unix:${join(folder, 'join.sock')}`);
  const poller = new Poller();
  const transport = new Transport();
  const log = createLog('test', 'silent');
  t.teardown(() => {
    listener.end();
    fleet.stop();
    poller.close();
    rmSync(folder, { recursive: true });
  });
  const told: string[] = [];
  let places: PlaceHandlers | undefined;
  const nothing = {
    replace: () => undefined,
    stop: () => undefined,
    finish: async () => undefined,
  };
  const manager: WorkerManager = {
    ...{ types: ['bash'], ensure: () => undefined, ...nothing },
    start: (handlers) => {
      places = handlers;
    },
  };
  const local = { role: 'controller', id: 'controller', instance: 'c' } as const;
  const traffic = new Traffic();
  const fleet = new Fleet(
    { poller, transport, local, token, manager, traffic, clock: systemClock, log },
    {
      onUp: ({ name }, _inventory, instance) => told.push(`up ${name} ${instance}`),
      onDown: (name) => told.push(`down ${name}`),
      onRemoved: (name) => told.push(`removed ${name}`),
      onMessage: ({ name }, { kind }) => told.push(`${kind} ${name}`),
    },
  );
  fleet.start();
  const types = new Set(['bash']);
  const shared = { poller, transport, address, local, token, types, fleet, traffic, log };
  const listener = new JoinListener(shared);

  /** One that connects both ways; `says` what it has unless told otherwise. */
  const worker = (id: string, instance: string, says: { type?: string; early?: Message } = {}) => {
    const come: Partial<Worker> & Pick<Worker, 'received' | 'closings'> = {
      ...{ received: [], closings: [] },
    };
    const open = (channel: 'receiver' | 'emitter', secret = token) =>
      new Connection(
        transport.connect(poller, address),
        'initiator',
        { local: { role: 'worker', id, instance }, token: secret, channel },
        {
          onOpen: (_peer, connection) => {
            if (channel === 'receiver') return;
            connection.send(inventoryOf(says.type ?? 'bash'));
            if (says.early) connection.send(says.early);
          },
          onMessage: (message) => come.received.push(message),
          onClose: (error: ScriptdError) => come.closings.push(error.code),
        },
      );
    return { ...come, open };
  };
  const whole = (...given: Parameters<typeof worker>) => {
    const made = worker(...given);
    return { ...made, emitter: made.open('emitter'), receiver: made.open('receiver') };
  };
  return { fleet, listener, told, worker, whole, add: () => places, address };
}

function inventoryOf(type: string): MessageOf<'inventory'> {
  const isolation = { level: 'none', layers: [] } as const;
  const has = { running: [], unacknowledged: [] };
  return {
    ...{ kind: 'inventory', type, slots: 3, prefetch: 0, pid: 1, ...has },
    isolation: { ...isolation, layers: [] },
  };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
}

t.test('a worker that joins is one of the fleet until it goes', async (t) => {
  const { fleet, told, whole } = rig(t);
  const taskId = '01890a5d-ac96-774b-bcce-b302099a8057';
  const { receiver, received } = whole('w', 'i1', {
    early: { kind: 'started', taskId, attempt: 1 },
  });
  await until(() => told.length === 2);
  t.same(told, ['up w i1', 'started w']);
  t.match([...fleet.up()], [{ seat: { name: 'w', type: 'bash', slots: 3, local: false } }]);
  t.same(fleet.missingTypes(), []);
  t.ok(fleet.get('w')?.send({ kind: 'recall', taskId, attempt: 1 }));
  await until(() => received.length === 1);
  t.equal(received[0]?.kind, 'recall');
  receiver.close();
  await until(() => told.length === 3);
  t.equal(told[2], 'down w');
  t.equal(fleet.get('w'), undefined);
  t.same(fleet.missingTypes(), [], 'nobody is sure to have another');
});

t.test('the same process replaces its own connections, another one is turned away', async (t) => {
  const { told, whole } = rig(t);
  const first = whole('w', 'i1');
  await until(() => told.length === 1);
  const stranger = whole('w', 'i2');
  await until(() => stranger.closings.length === 2);
  t.match(stranger.received, [
    { kind: 'unwelcome', code: 'NAME_TAKEN', reason: /another worker w/ },
  ]);
  t.same(told, ['up w i1'], 'the first one noticed nothing');
  whole('w', 'i1');
  await until(() => told.length === 3);
  t.same(told.slice(1), ['down w', 'up w i1']);
  await until(() => first.closings.length === 2);
  first.receiver.close();
  whole('v', 'i3');
  await until(() => told.length === 4);
  t.equal(told[3], 'up v i3', 'the end of what was replaced says nothing of its successor');
});

t.test('a type that nobody knows, and a name of the manager, are turned away', async (t) => {
  const { told, whole, add, address } = rig(t);
  const unknown = whole('w', 'i1', { type: 'ruby' });
  await until(() => unknown.closings.length === 2);
  t.match(unknown.received, [{ kind: 'unwelcome', code: 'UNKNOWN_TYPE', reason: /ruby/ }]);
  whole('w', 'i2');
  await until(() => told.length === 1);
  add()?.onAdded({ name: 'w', type: 'bash', slots: 1, local: false, address });
  t.same(told, ['up w i2', 'removed w'], 'a place of the manager goes before');
  const late = whole('w', 'i2');
  await until(() => late.closings.length === 2);
  t.match(late.received, [{ kind: 'unwelcome', code: 'NAME_TAKEN', reason: /of its own/ }]);
});

t.test('who comes with half of it, or without the token, is not waited for', async (t) => {
  const { listener, told, worker, fleet } = rig(t);
  const half = worker('w', 'i1');
  half.open('emitter');
  const twice = worker('x', 'i2');
  const emitter = twice.open('emitter');
  await until(() => emitter.open);
  emitter.send(inventoryOf('bash'));
  await until(() => twice.closings.length === 1);
  const liar = worker('y', 'i3');
  liar.open('receiver', Buffer.from('some other token than theirs'));
  await until(() => liar.closings.length === 1);
  t.same(half.closings, []);
  listener.heartbeat(performance.now() + 2 * wireLimits.handshakeMs);
  await until(() => half.closings.length === 1);
  t.same(told, []);
  t.same([...fleet.up()], []);
});
