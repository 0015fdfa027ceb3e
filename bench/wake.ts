import type { Bench } from './harness.js';
import { buildPeer, type EchoServer, loadEchoServer } from './peer.js';
import { compare } from './row.js';

/** How long one message takes through the poller, there and back, against the same in C. */
export const wake: Bench = {
  name: 'wake',
  what: 'one message through the poller and back, against the same server in C with epoll',
  async run({ smoke }) {
    await buildPeer();
    const load = { connections: 1, messageBytes: 128, seconds: smoke ? 0.1 : 2 };
    const p50Us = async (server: EchoServer): Promise<number> => {
      return (await loadEchoServer(server, load)).p50Us;
    };
    const row = await compare({
      name: 'wake',
      unit: 'µs p50',
      reference: 'C and epoll',
      bar: { atMost: 1.15 },
      rounds: smoke ? 1 : 7,
      measure: () => p50Us('poller'),
      measureReference: () => p50Us('c'),
    });
    return [row];
  },
};
