// Many workers in one process, each with connections and an identity of its own, that speak the real
// protocol and finish each task at once: `node crowd.js COUNT ADDRESS TOKEN-FILE`. Says `ready`.
import { randomUUID } from 'node:crypto';
import { parseAddress } from '../src/poll/address.js';
import { Poller } from '../src/poll/poller.js';
import { Connection } from '../src/wire/connection.js';
import { wireLimits } from '../src/wire/limits.js';
import type { Message, MessageOf } from '../src/wire/messages.js';
import { readWireToken } from '../src/wire/token.js';
import { Transport } from '../src/wire/transport.js';

/** So many come at the same time: fewer than a listener lets wait. */
const atOnce = 32;
const [count = '', addressText = '', tokenFile = ''] = process.argv.slice(2);
const address = parseAddress(addressText);
const token = readWireToken(tokenFile, { create: false });
const poller = new Poller();
const transport = new Transport();
const connections: Connection[] = [];

const inventory: MessageOf<'inventory'> = {
  ...{ kind: 'inventory', type: 'noop', slots: 1, prefetch: 0, pid: process.pid },
  ...{ isolation: { level: 'none', layers: [] }, running: [], unacknowledged: [] },
};

function resultOf({ taskId, attempt }: MessageOf<'execute'>): Message {
  const none = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
  return {
    ...{ kind: 'result', taskId, attempt },
    result: {
      ...{ outcome: 'success', exitCode: 0, truncated: { stdout: false, stderr: false } },
      ...{ ...none, phases: { startMs: 0, runMs: 0, drainMs: 0 } },
    },
  };
}

/** Fulfilled when both its connections stand. */
async function join(name: string): Promise<void> {
  const local = { role: 'worker', id: name, instance: randomUUID() } as const;
  let emitter: Connection | undefined;
  const open = (channel: 'receiver' | 'emitter') =>
    new Promise<Connection>((resolve) => {
      const connection = new Connection(
        transport.connect(poller, address),
        'initiator',
        { local, token, channel },
        {
          onOpen: (_peer, opened) => resolve(opened),
          onMessage: (message) => {
            if (message.kind === 'execute') emitter?.send(resultOf(message));
          },
          onClose: (error) => {
            throw error;
          },
        },
      );
      connections.push(connection);
    });
  [emitter] = await Promise.all([open('emitter'), open('receiver')]);
  emitter.send(inventory);
}

setInterval(() => {
  const nowMs = performance.now();
  for (const connection of connections) connection.heartbeat(nowMs);
}, wireLimits.heartbeatMs);
for (let first = 0; first < Number(count); first += atOnce) {
  const names = Array.from({ length: Math.min(atOnce, Number(count) - first) }, (_, index) =>
    join(`crowd-${first + index}`),
  );
  await Promise.all(names);
}
process.stdout.write('ready\n');
