import { setTimeout as pause } from 'node:timers/promises';
import t from 'tap';
import { Connection } from '../../src/wire/connection.js';
import { controllerRig, token, type, until } from './rig.js';

t.test('a controller that is closed while clients wait and writes are under way', async (t) => {
  const { controller, store, worker, poller, clients } = controllerRig(t);
  await controller.start();
  const ended = new Promise<void>((resolve) => {
    const socket = poller.connect(clients, { onData: () => undefined });
    const local = { role: 'http', id: 'http', instance: 'h' } as const;
    new Connection(...([socket, 'initiator', { local, token, channel: 'client' }] as const), {
      onOpen: (_peer, connection) => {
        const task = { code: 'x', type };
        connection.send({ kind: 'submit', requestId: 1, reply: 'finished', task });
      },
      onMessage: (message) => t.fail(`${message.kind} was not asked for`),
      onClose: () => resolve(),
    });
  });
  await until(() => worker.all('execute').length === 1);
  let stored = 0;
  controller.submit(
    { code: 'y', type },
    () => {
      stored += 1;
    },
    ({ code }) => t.fail(code),
  );
  // The turn that hands it to the store.
  await Promise.resolve();
  controller.close();
  controller.submit(
    { code: 'z', type },
    () => t.fail('it is closed'),
    ({ code }) => t.equal(code, 'DRAINING'),
  );
  await ended;
  await until(() => stored === 1);
  // What threw in a turn after that would end the process.
  await pause(20);
  t.equal(store.stats().pending, 1, 'what was under way is stored');
});
