import t from 'tap';
import { limits } from '../../src/limits.js';
import type { TaskView } from '../../src/task.js';
import { Connection } from '../../src/wire/connection.js';
import { wireLimits } from '../../src/wire/limits.js';
import { finished } from '../http/fake-controller.js';
import { listening, token } from './listening.js';

t.test('an http daemon may ask for more at once than a connection may hold', async (t) => {
  const output = Buffer.alloc(limits.outputBytesMax, 'x');
  const view: TaskView = finished({ stdout: output, stderr: output });
  const { poller, address } = listening(t, { read: async () => view });

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
