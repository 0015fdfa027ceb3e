import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { ClientListener } from '../../src/controller/client-listener.js';
import { type ClientRequests, Watches } from '../../src/controller/clients.js';
import { limits } from '../../src/limits.js';
import { createLog } from '../../src/log.js';
import { parseAddress } from '../../src/poll/address.js';
import { Poller } from '../../src/poll/poller.js';
import type { TaskView } from '../../src/task.js';
import { Connection } from '../../src/wire/connection.js';
import { wireLimits } from '../../src/wire/limits.js';
import { Transport } from '../../src/wire/transport.js';
import { finished } from '../http/fake-controller.js';

const token = Buffer.from('a wire token for the tests only');

t.test('an http daemon may ask for more at once than a connection may hold', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'scriptd-clients-'));
  const address = parseAddress(`unix:${join(folder, 'controller.sock')}`);
  const poller = new Poller();
  t.teardown(() => {
    poller.close();
    rmSync(folder, { recursive: true });
  });
  const output = Buffer.alloc(limits.outputBytesMax, 'x');
  const view: TaskView = finished({ stdout: output, stderr: output });
  new ClientListener({
    poller,
    addresses: [address],
    transport: new Transport(),
    local: { role: 'controller', id: 'controller', instance: 'c' },
    token,
    requests: { read: async () => view } as Partial<ClientRequests> as ClientRequests,
    watches: new Watches(),
    log: createLog('test', 'silent'),
  });

  const asked = Math.ceil((1.2 * wireLimits.queuedBytesMax) / (2 * output.length));
  const answered: number[] = [];
  await new Promise<void>((resolve, reject) => {
    const socket = poller.connect(address, { onData: () => undefined });
    const local = { role: 'http', id: 'http', instance: 'h' } as const;
    const daemon = new Connection(
      socket,
      'initiator',
      { local, token, channel: 'client' },
      {
        onOpen: () => {
          for (let requestId = 1; requestId <= asked; requestId++) {
            daemon.send({ kind: 'get', requestId, taskId: view.id });
          }
        },
        onMessage: (message) => {
          if (message.kind !== 'task') return;
          answered.push(message.requestId);
          if (answered.length === asked) resolve();
        },
        onClose: reject,
      },
    );
  });
  t.equal(answered.length, asked);
  t.same(
    answered,
    [...answered].sort((a, b) => a - b),
    'in the order of the questions',
  );
});
