import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { Fleet } from '../../src/controller/fleet.js';
import type { WorkerManager } from '../../src/controller/manager.js';
import type { IsolationReport } from '../../src/isolation.js';
import { createLog } from '../../src/log.js';
import { parseAddress } from '../../src/poll/address.js';
import { Poller } from '../../src/poll/poller.js';
import { Connection } from '../../src/wire/connection.js';

const token = Buffer.from('a wire token for the tests only');

t.test('a worker that does not go when told to holds nobody up', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'scriptd-fleet-'));
  const address = parseAddress(`unix:${join(folder, 'worker.sock')}`);
  const poller = new Poller();
  t.teardown(() => {
    poller.close();
    rmSync(folder, { recursive: true });
  });
  // It takes every order, and does none.
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
        onMessage: () => undefined,
        onClose: () => undefined,
      },
    );
  });
  const replaced: (number | undefined)[] = [];
  const manager: WorkerManager = {
    places: [{ name: 'python-1', type: 'python', slots: 1, address }],
    ensure: () => t.fail('it listens'),
    replace: (_place, pid) => replaced.push(pid),
    stop: () => undefined,
    finish: async () => undefined,
  };
  const local = { role: 'controller', id: 'controller', instance: 'c' } as const;
  const log = createLog('test', 'silent');
  await new Promise<void>((resolve) => {
    const fleet = new Fleet(
      { poller, local, token, manager, log },
      {
        onUp: () => resolve(fleet.dismiss(10)),
        onDown: () => undefined,
        onMessage: () => undefined,
      },
    );
    fleet.start();
  });
  t.same(replaced, [1], 'its manager was asked to end it');
});
